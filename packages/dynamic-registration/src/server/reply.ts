/** What a registrar answers: never cacheable, always JSON, and to a device never more than it needs. */

const common = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

/** A JSON reply. */
export function jsonReply(
  status: number,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...common, 'content-type': 'application/json', ...headers },
  });
}

/** 204. */
export function emptyReply(): Response {
  return new Response(null, { status: 204, headers: common });
}

/** What went wrong, for a device: stable `code`s, which say less than the audit log. */
export type ProblemCode =
  | 'bad-request'
  | 'token-refused'
  | 'credentials-refused'
  | 'id-not-allowed'
  | 'tpm-required'
  | 'proof-required'
  | 'registration-denied'
  | 'not-found'
  | 'method-not-allowed'
  | 'request-timeout'
  | 'already-registered'
  | 'already-active'
  | 'too-large'
  | 'unsupported-media-type'
  | 'rate-limited'
  | 'unavailable'
  | 'internal-error';

const titles: Readonly<Record<ProblemCode, readonly [status: number, title: string]>> = {
  'bad-request': [400, 'The request is not usable'],
  'token-refused': [401, 'The registration token is not accepted'],
  'credentials-refused': [401, 'The credentials are not accepted'],
  'id-not-allowed': [403, 'This manufacturer id may not register'],
  'tpm-required': [403, 'This registration needs a TPM'],
  'proof-required': [403, 'This registration needs a proof'],
  'registration-denied': [403, 'The registration was denied'],
  'not-found': [404, 'There is nothing here'],
  'method-not-allowed': [405, 'This method is not for this address'],
  'request-timeout': [408, 'The request took too long to arrive'],
  'already-registered': [409, 'The manufacturer id is registered already'],
  'already-active': [409, 'The device has used its credentials; rotate them instead'],
  'too-large': [413, 'The request is too large'],
  'unsupported-media-type': [415, 'The request has to be application/json'],
  'rate-limited': [429, 'Too many requests'],
  unavailable: [503, 'The registrar cannot answer now'],
  'internal-error': [500, 'The registrar failed'],
};

/** The status that goes with a problem. */
export function statusOf(code: ProblemCode): number {
  return titles[code][0];
}

/** A refusal as `application/problem+json` (RFC 9457), with `code` as its only addition. */
export function problemReply(
  code: ProblemCode,
  details: { readonly detail?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Response {
  const [status, title] = titles[code];
  const challenge =
    code === 'token-refused'
      ? { 'www-authenticate': 'Bearer realm="registration"' }
      : code === 'credentials-refused'
        ? { 'www-authenticate': 'Basic realm="device", charset="UTF-8"' }
        : {};
  return jsonReply(
    status,
    { title, status, code, ...(details.detail === undefined ? {} : { detail: details.detail }) },
    { 'content-type': 'application/problem+json', ...challenge, ...details.headers },
  );
}
