import type { GatewaySession, HttpsCertificate } from '@endorse/thingspro-edge';
import { fingerprintOfPem } from '@endorse/thingspro-edge';
import type { StepOptions, StepOutcome } from './step-outcome.ts';

/**
 * Gives the gateway its certificate, if it does not show it yet; the pin follows.
 *
 * @example
 * ```js
 * import { readFile } from 'node:fs/promises';
 * import { Secret } from '@endorse/interface';
 * import { ensureCertificate } from '@endorse/provisioning-utility';
 *
 * export async function giveCertificate(session, serial) {
 *   const certificatePem = await readFile(`${serial}.crt`, 'utf8');
 *   const privateKeyPem = Secret.fromBytes(await readFile(`${serial}.key`));
 *   const certificate = { certificatePem, privateKeyPem };
 *   return ensureCertificate({ session, certificate, signal: AbortSignal.timeout(120_000) });
 * }
 * ```
 */
export async function ensureCertificate(
  options: StepOptions & {
    readonly session: Pick<GatewaySession, 'fingerprint' | 'replaceHttpsCertificate'>;
    readonly certificate: HttpsCertificate;
  },
): Promise<StepOutcome> {
  const { session, certificate, signal, onWrite } = options;
  const fingerprint = fingerprintOfPem(certificate.certificatePem);
  const facts = { fingerprint };
  if (session.fingerprint === fingerprint) return { result: 'unchanged', detail: 'shows it already', facts };
  await onWrite?.('replace the certificate');
  await session.replaceHttpsCertificate(certificate, { signal });
  return { result: 'changed', detail: `shows ${fingerprint.slice(0, 16)}…`, facts };
}
