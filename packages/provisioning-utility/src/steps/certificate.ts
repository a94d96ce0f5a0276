import type { GatewaySession, HttpsCertificate } from '@endorse/thingspro-edge';
import { fingerprintOfPem } from '@endorse/thingspro-edge';
import type { StepOptions, StepOutcome } from './step-outcome.ts';

/** Gives the gateway its certificate, if it does not show it yet; the pin follows. */
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
