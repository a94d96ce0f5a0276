import type { RegistrationResult } from './register.ts';
import type { ResolvedOptions } from './options.ts';
import type { ProblemCode } from './reply.ts';
import { jsonReply, problemReply } from './reply.ts';
import { wrapSecret } from './tpm-binding.ts';

/** Tells a device how its registration ended. */
export function registrationReply(result: RegistrationResult, options: ResolvedOptions): Response {
  if (result.kind === 'issued') return issuedReply(result, options);
  const { code, reason, retryAfterSeconds } = result;
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  if (options.compatible) return compatibleRefusal(code, headers);
  // Only a mistake of form is explained: what is wrong with a token or an id is not the device's to know.
  return problemReply(code, code === 'bad-request' ? { detail: reason, headers } : { headers });
}

function issuedReply(
  { credential, claims, tpm, outcome }: Extract<RegistrationResult, { readonly kind: 'issued' }>,
  options: ResolvedOptions,
): Response {
  const { deviceId, accessKey, accessSecret } = credential;
  const broker = claims.broker ?? options.broker;
  const secret =
    tpm === undefined
      ? { accessSecret: accessSecret.revealText() }
      : { wrappedSecret: wrapSecret(tpm, accessSecret, options.random) };
  return jsonReply(
    200,
    { deviceId, accessKey, ...secret, ...(broker === undefined ? {} : { broker }) },
    { 'registration-outcome': outcome },
  );
}

/** The three refusals of the seed, word for word; every one is a 403. */
const seedRefusals = {
  missingId: 'Missing manufacturerId field.',
  badToken: 'Invalid registration token',
  taken: 'Device already registered.',
} as const;

function compatibleRefusal(code: ProblemCode, headers: Readonly<Record<string, string>>): Response {
  switch (code) {
    case 'bad-request':
      return jsonReply(403, { error: seedRefusals.missingId }, headers);
    case 'token-refused':
    case 'id-not-allowed':
    case 'tpm-required':
    case 'proof-required':
    case 'registration-denied':
      return jsonReply(403, { error: seedRefusals.badToken }, headers);
    case 'already-registered':
    case 'already-active':
      return jsonReply(403, { error: seedRefusals.taken }, headers);
    default:
      // What the seed does not know: sizes, rates, outages.
      return problemReply(code, { headers });
  }
}
