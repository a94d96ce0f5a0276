/**
 * What an answer means. Gateways report errors in three shapes, which differ by family and by endpoint:
 * `{"error": "text"}`, `{"error": {"code": 400, "message": "text"}}` and `{"code": 400, "message": "text"}`.
 */
import type { Secret } from '@endorse/interface';
import { RemoteProtocolError } from '@endorse/interface';
import type { GatewayAnswer } from './connection.ts';
import { GatewayError } from './errors.ts';
import type { GatewayErrorCode } from './errors.ts';
import type { JsonObject } from './read-json.ts';
import { parseJsonObject } from './read-json.ts';

/**
 * Reads a success as JSON; throws `GatewayError` for a refusal and `RemoteProtocolError` for anything else.
 * A gateway that repeats one of the `secrets` in its error is not quoted with it.
 */
export function readAnswer(attempted: string, answer: GatewayAnswer, secrets: readonly Secret[]): JsonObject {
  requireSuccess(attempted, answer, secrets);
  if (answer.mediaType !== 'application/json') {
    const found = answer.mediaType.slice(0, 80) || 'nothing';
    throw new RemoteProtocolError(
      'ERR_REMOTE_CONTENT_TYPE',
      `${attempted}: the answer is ${found}, not JSON`,
      {
        evidence: { path: 'header.content-type', sample: found },
        remedy: 'Check that the port belongs to the REST API of the gateway.',
      },
    );
  }
  return parseJsonObject(answer.text, attempted);
}

/** Throws unless the answer is a success. Redirects are never followed: the next host would get the token. */
export function requireSuccess(attempted: string, answer: GatewayAnswer, secrets: readonly Secret[]): void {
  const { status } = answer;
  if (status >= 200 && status < 300) return;
  if (status >= 300 && status < 400) {
    throw new RemoteProtocolError('ERR_REMOTE_REDIRECT', `${attempted}: the gateway redirects (${status})`, {
      evidence: { path: 'status', sample: String(status) },
      remedy: 'Use the port that the gateway announces for its REST API.',
    });
  }
  const text = errorText(answer);
  throw refusal(attempted, status, text === undefined ? undefined : redact(text, secrets));
}

/** The error text of an answer, in whatever shape; undefined when there is none. */
function errorText({ mediaType, text }: GatewayAnswer): string | undefined {
  if (mediaType !== 'application/json') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const error = fieldOf(value, 'error') ?? value;
  const message = typeof error === 'string' ? error : fieldOf(error, 'message');
  return typeof message === 'string' && message !== '' ? message : undefined;
}

/** Takes secrets out of what a gateway says: as they are, as JSON spells them, and line by line, as PEM is cut. */
function redact(text: string, secrets: readonly Secret[]): string {
  return secrets
    .map((secret) => secret.revealText())
    .flatMap((secret) => [
      secret,
      JSON.stringify(secret).slice(1, -1),
      ...secret.split('\n').filter((line) => line.length >= shortestSecretLine),
    ])
    .reduce((redacted, secret) => redacted.replaceAll(secret, '[redacted]'), text);
}

/** Shorter lines of a longer secret say nothing, but may be words of an honest message. */
const shortestSecretLine = 16;

/** Control characters would let a gateway write into a terminal. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, 200);
}

function refusal(attempted: string, status: number, text: string | undefined): GatewayError {
  const code = refusalCode(status, text ?? '');
  const said = text === undefined ? '' : `: ${printable(text)}`;
  return new GatewayError(code, `${attempted}: the gateway answered ${status}${said}`, { status });
}

function refusalCode(status: number, text: string): GatewayErrorCode {
  switch (status) {
    case 400:
    case 409:
    case 422:
      if (/\bbusy\b/i.test(text)) return 'ERR_GATEWAY_BUSY';
      return /not support tpm/i.test(text) ? 'ERR_GATEWAY_NO_TPM' : 'ERR_GATEWAY_REFUSED';
    case 401:
      return 'ERR_GATEWAY_SESSION_EXPIRED';
    case 403:
      return /maximum .*limit|limit reached/i.test(text)
        ? 'ERR_GATEWAY_SESSION_LIMIT'
        : 'ERR_GATEWAY_FORBIDDEN';
    case 404:
    case 405:
      return 'ERR_GATEWAY_NOT_FOUND';
    case 423:
      return 'ERR_GATEWAY_LOCKED';
    case 429:
      return 'ERR_GATEWAY_BUSY';
    default:
      return status >= 500 ? 'ERR_GATEWAY_UNAVAILABLE' : 'ERR_GATEWAY_OTHER';
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
