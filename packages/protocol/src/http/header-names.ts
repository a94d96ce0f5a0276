/** Header names of the service, in lower case. */
export const headerNames: {
  readonly accept: 'accept';
  readonly authorization: 'authorization';
  readonly contentType: 'content-type';
  readonly continuation: 'x-ms-continuation';
  readonly errorCode: 'x-ms-error-code';
  readonly ifMatch: 'if-match';
  readonly itemType: 'x-ms-item-type';
  readonly location: 'location';
  readonly maxItemCount: 'x-ms-max-item-count';
  readonly requestId: 'x-ms-request-id';
  readonly retryAfter: 'retry-after';
  readonly userAgent: 'user-agent';
} = Object.freeze({
  accept: 'accept',
  authorization: 'authorization',
  contentType: 'content-type',
  continuation: 'x-ms-continuation',
  errorCode: 'x-ms-error-code',
  ifMatch: 'if-match',
  itemType: 'x-ms-item-type',
  location: 'location',
  maxItemCount: 'x-ms-max-item-count',
  requestId: 'x-ms-request-id',
  retryAfter: 'retry-after',
  userAgent: 'user-agent',
});

/** Media type of every request and answer body. */
export const jsonContentType = 'application/json; charset=utf-8';

/** Media type asked for. */
export const jsonAccept = 'application/json';

/** True for a `content-type` that holds JSON: `application/json` or `…+json`, in UTF-8 if it says. */
export function isJsonContentType(contentType: string | undefined): boolean {
  if (contentType === undefined || contentType.length > 256) return false;
  const [type = '', ...parameters] = contentType.toLowerCase().split(';');
  if (!/^application\/(?:[a-z0-9.-]+\+)?json$/.test(type.trim())) return false;
  return parameters.every((parameter) => {
    const [name = '', value = ''] = parameter.split('=');
    return name.trim() !== 'charset' || /^"?utf-?8"?$/.test(value.trim());
  });
}
