/**
 * The maker's certificate of the endorsement key, from NV memory (TCG EK Credential Profile, 2.2.1.4 and 2.2.1.5):
 * the low range holds RSA-2048 and P-256, the high range these and more. A TPM may hold several.
 */
import { X509Certificate } from 'node:crypto';
import type { SecurityClientOptions } from '@endorse/interface';
import { commands, nvIndices, publicKeyFromArea, recognizeEndorsementKey } from '@endorse/tpm2';
import type { PublicArea } from '@endorse/tpm2';
import { EndorsementCertificateError, formatHandle } from '../errors.ts';
import type { TpmExecutor } from '../executor/executor.ts';
import type { TpmScope } from '../executor/scope.ts';
import { endorsementKeyArea } from '../keys/endorsement-key-input.ts';
import type { EndorsementKeyInput } from '../keys/endorsement-key-input.ts';
import { readNvIndex } from './nv.ts';

/** A certificate in the TPM. */
export interface EndorsementCertificate {
  /** Where it is, for example 0x01C00002. */
  readonly nvIndex: number;
  /** The certificate, without the padding some makers leave behind it. */
  readonly der: Uint8Array;
  readonly x509: X509Certificate;
}

/** The indices that are looked at, in this order. */
export const endorsementCertificateIndices: readonly number[] = Object.freeze(
  Object.entries(nvIndices)
    .filter(([name]) => name.startsWith('ekCertificate'))
    .map(([, index]) => index),
);

/**
 * Reads the certificate whose key is `endorsementKey`, byte for byte; the key may be given in any form, see
 * {@link EndorsementKeyInput}.
 *
 * Rejects with `ERR_TPM_CERTIFICATE_MISSING` when the TPM holds none, `ERR_TPM_CERTIFICATE_MALFORMED` when it holds
 * none that can be read, `ERR_TPM_CERTIFICATE_MISMATCH` when all are of other keys, and as the executor does. Says
 * nothing about who issued it: see `verifyEndorsementCertificateChain`.
 */
export async function readEndorsementCertificate(
  executor: TpmExecutor,
  endorsementKey: EndorsementKeyInput,
  options: SecurityClientOptions = {},
): Promise<EndorsementCertificate> {
  const area = endorsementKeyArea(endorsementKey);
  const certificates = await readEndorsementCertificates(executor, options);
  const found = certificates.find(({ x509 }) => matchesEndorsementKey(x509, area));
  if (found !== undefined) return found;
  if (certificates.length === 0) {
    throw new EndorsementCertificateError(
      'ERR_TPM_CERTIFICATE_MISSING',
      'the TPM holds no endorsement certificate',
      {
        remedy: 'Some makers publish it instead; ask for it with the endorsement key.',
      },
    );
  }
  throw new EndorsementCertificateError(
    'ERR_TPM_CERTIFICATE_MISMATCH',
    `the certificate at ${certificates.map(({ nvIndex }) => formatHandle(nvIndex)).join(', ')} is of another key`,
    { remedy: "Use the EK template 'tcg': the key in use was made from another one than the maker's." },
  );
}

/**
 * Reads every endorsement certificate in the TPM, in the order of {@link endorsementCertificateIndices}.
 * Rejects with `ERR_TPM_CERTIFICATE_MALFORMED` when there are some but none can be read.
 */
export async function readEndorsementCertificates(
  executor: TpmExecutor,
  { signal }: SecurityClientOptions = {},
): Promise<readonly EndorsementCertificate[]> {
  return executor.exclusive(
    async (scope) => {
      const defined = await listNvIndices(scope, signal);
      const found: EndorsementCertificate[] = [];
      let unreadable: unknown;
      for (const nvIndex of endorsementCertificateIndices) {
        if (!defined.has(nvIndex)) continue;
        const bytes = await readNvIndex(scope, nvIndex, { signal });
        if (bytes === undefined) continue;
        try {
          const x509 = new X509Certificate(bytes);
          found.push(Object.freeze({ nvIndex, der: Uint8Array.from(x509.raw), x509 }));
        } catch (error) {
          unreadable ??= error;
        }
      }
      if (found.length > 0 || unreadable === undefined) return Object.freeze(found);
      throw new EndorsementCertificateError(
        'ERR_TPM_CERTIFICATE_MALFORMED',
        'the endorsement certificate in the TPM cannot be read',
        { cause: unreadable },
      );
    },
    { signal },
  );
}

/** True when the certificate's key is that of the public area: the same modulus and exponent, or the same point. */
export function matchesEndorsementKey(certificate: X509Certificate, area: PublicArea): boolean {
  const expected = keyBytes(area);
  const actual = certificateKeyBytes(certificate);
  return expected !== undefined && actual !== undefined && Buffer.from(expected).equals(actual);
}

/** The key itself, without what the template adds to it. */
function keyBytes(area: PublicArea): Uint8Array | undefined {
  try {
    return new Uint8Array(publicKeyFromArea(area).export({ format: 'der', type: 'spki' }));
  } catch {
    return undefined;
  }
}

function certificateKeyBytes(certificate: X509Certificate): Uint8Array | undefined {
  try {
    // Reads keys marked for OAEP as well, which some makers' certificates have and OpenSSL does not take.
    return keyBytes(recognizeEndorsementKey(new Uint8Array(certificate.raw)).area);
  } catch {
    // A size or curve without template, for example P-384.
  }
  try {
    return new Uint8Array(certificate.publicKey.export({ format: 'der', type: 'spki' }));
  } catch {
    return undefined;
  }
}

const firstNvIndex = 0x01c0_0000;
const pageSize = 64;

/** Indices of the makers' range, in one or two commands instead of one for each that might exist. */
async function listNvIndices(scope: TpmScope, signal: AbortSignal | undefined): Promise<ReadonlySet<number>> {
  const { capabilityData } = await scope.execute(
    commands.GetCapability,
    { capability: 'handles', property: firstNvIndex, propertyCount: pageSize },
    { signal },
  );
  return new Set(capabilityData.kind === 'handles' ? capabilityData.handles : []);
}
