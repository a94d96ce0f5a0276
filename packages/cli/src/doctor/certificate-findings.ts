import type { EndorsementCertificate, TpmExecutor, TpmInfo } from '@endorse/security-tpm';
import type { PublicArea } from '@endorse/tpm2';
import type { Finding } from './finding.ts';

/** TPM_PT_PERMANENT and its bit endorsementAuthSet (Part 2, 6.13 and 8.6). */
const permanentProperty = 0x200;
const endorsementAuthSet = 2;

/**
 * Holds the endorsement key against the certificate its maker put into the TPM. Rejects as the executor does, and with
 * `ERR_TPM_CERTIFICATE_MALFORMED`.
 */
export async function certificateFindings(
  executor: TpmExecutor,
  info: TpmInfo,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const [{ matchesEndorsementKey, readEndorsementCertificates }, { decodeTpm2bPublic }] = await Promise.all([
    import('@endorse/security-tpm'),
    import('@endorse/tpm2'),
  ]);
  const certificates = await readEndorsementCertificates(executor, { signal });
  if (certificates.length === 0) {
    return [
      {
        check,
        level: 'warning',
        message: 'the TPM holds no endorsement certificate, so nothing proves who made it',
        remedy: 'Ask the maker for the certificate; registration works without.',
      },
    ];
  }
  if (info.endorsementKey === undefined) {
    const places = certificates.map(({ nvIndex }) => formatIndex(nvIndex)).join(', ');
    return [
      {
        check,
        level: 'skipped',
        message: `there is a certificate at ${places}, but no key to compare it with`,
      },
    ];
  }
  const endorsementKey = decodeTpm2bPublic(info.endorsementKey);
  const match = certificates.find(({ x509 }) => matchesEndorsementKey(x509, endorsementKey));
  if (match !== undefined) return [matchFinding(match)];
  return [await mismatchFinding(executor, { endorsementKey, certificates, info, signal })];
}

const check = 'endorsement-certificate';

function matchFinding({ nvIndex, x509 }: EndorsementCertificate): Finding {
  const issuer = x509.issuer.replaceAll('\n', ', ');
  return {
    check,
    level: 'ok',
    message: `the certificate at ${formatIndex(nvIndex)} is of the endorsement key (${issuer})`,
  };
}

interface Mismatch {
  readonly endorsementKey: PublicArea;
  readonly certificates: readonly EndorsementCertificate[];
  readonly info: TpmInfo;
  readonly signal: AbortSignal;
}

/** Says which template made the key in use, where that can be found out without a password. */
async function mismatchFinding(
  executor: TpmExecutor,
  { endorsementKey, certificates, info, signal }: Mismatch,
): Promise<Finding> {
  const places = certificates.map(({ nvIndex }) => formatIndex(nvIndex)).join(', ');
  const finding = {
    check,
    level: 'warning',
    code: 'ERR_TPM_CERTIFICATE_MISMATCH',
    message: `the certificate at ${places} is of another key than the endorsement key in use`,
  } as const;
  const needsPassword = ((info.properties.get(permanentProperty) ?? 0) & endorsementAuthSet) !== 0;
  if (needsPassword) {
    return {
      ...finding,
      remedy: 'Enroll the key that endorse tpm info prints, not the one of the certificate.',
    };
  }
  const { diagnoseEndorsementKey } = await import('@endorse/security-tpm');
  const diagnosis = await diagnoseEndorsementKey(executor, endorsementKey, { signal });
  const made = diagnosis.verdict === 'match' ? `: it was made from the template ${diagnosis.template}` : '';
  return {
    ...finding,
    message: `${finding.message}${made}`,
    remedy: 'Enroll the key that endorse tpm info prints, not the one of the certificate.',
  };
}

function formatIndex(nvIndex: number): string {
  return `0x${nvIndex.toString(16).padStart(8, '0')}`;
}
