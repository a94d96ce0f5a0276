import { RemoteProtocolError, type RemoteProtocolCode } from '@endorse/interface';

/** Builds the one error a decoder throws: what was being decoded, where it is wrong, how. */
export function malformed(
  what: string,
  path: string,
  problem: string,
  options: {
    readonly code?: RemoteProtocolCode;
    readonly sample?: string | undefined;
    readonly cause?: unknown;
  } = {},
): RemoteProtocolError {
  const sample = options.sample === undefined ? undefined : redactSample(options.sample);
  return new RemoteProtocolError(
    options.code ?? 'ERR_REMOTE_MALFORMED',
    `cannot decode the ${what}: ${path} ${problem}`,
    { evidence: sample === undefined ? { path } : { path, sample }, cause: options.cause },
  );
}

const maxSampleLength = 120;

/** Shortens text for an error and blanks every run that could be a key, a signature or a blob. */
export function redactSample(text: string): string {
  return (
    text
      .slice(0, maxSampleLength)
      // 16 characters of base64 hold 12 bytes, less than the shortest key (16 bytes).
      .replaceAll(/[A-Za-z0-9+/=_%-]{16,}/g, (run) => `<${run.length} characters>`)
      .replaceAll(/[^\x20-\x7e]/g, '?')
  );
}

/** Names what was found without showing it. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'string') return `a string of ${value.length} characters`;
  if (typeof value === 'object') return 'an object';
  return `a ${typeof value}`;
}
