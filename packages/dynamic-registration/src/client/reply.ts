import { RemoteProtocolError, Secret } from '@endorse/interface';
import { DeviceRegistrationError } from './errors.ts';
import type { HttpAnswer } from './http-call.ts';

/** A secret that a TPM has to unwrap: the inner bytes that TPM2_ActivateCredential takes. */
export interface WrappedDeviceSecret {
  readonly idObject: Uint8Array;
  readonly encryptedSecret: Uint8Array;
}

/** What a registrar gave. */
export interface RegistrationReply {
  readonly deviceId: string;
  readonly accessKey: string;
  readonly secret: Secret | WrappedDeviceSecret;
  readonly broker: string | undefined;
  /** Whether the registrar is one that takes acknowledgements. */
  readonly takesAcknowledgement: boolean;
}

/**
 * Reads a reply of status 200. The original answers 200 with empty texts when it could not create the device; whoever
 * stores those has no device for ever. Throws `ERR_REMOTE_MALFORMED`, before anything is stored.
 */
export function decodeReply(answer: HttpAnswer): RegistrationReply {
  const body = parseObject(answer.text);
  const deviceId = textOf(body, 'deviceId');
  const accessKey = textOf(body, 'accessKey');
  const broker = body['broker'];
  return {
    deviceId,
    accessKey,
    secret: readSecret(body),
    broker: typeof broker === 'string' && broker !== '' ? broker : undefined,
    takesAcknowledgement: answer.headers['registration-outcome'] !== undefined,
  };
}

/** The error of an answer that is a refusal, with the registrar's own words where it has any. */
export function decodeRefusal({ status, text }: HttpAnswer): DeviceRegistrationError {
  let body: Readonly<Record<string, unknown>> = {};
  try {
    body = parseObject(text);
  } catch {
    // A proxy's page, perhaps; the status says enough.
  }
  const { code, error, title, detail } = body;
  const words = [error, title, detail].filter((part): part is string => typeof part === 'string');
  const problem = typeof code === 'string' ? code : undefined;
  return new DeviceRegistrationError(
    'ERR_REGISTRATION_REFUSED',
    `the registrar refused: HTTP ${status}${words.length === 0 ? '' : `, ${words.join(': ').slice(0, 200)}`}`,
    { status, problem, remedy: remedies.get(problem ?? String(status)) },
  );
}

const remedies: ReadonlyMap<string, string> = new Map([
  [
    'token-refused',
    'Ask the operator for a token that is good: this one may be expired, revoked or used up.',
  ],
  [
    'already-registered',
    'The id is taken: another device has it, or this one lost its state; the operator can release it.',
  ],
  [
    'already-active',
    'The device has used its credentials; where they are lost, the operator can release it.',
  ],
  ['tpm-required', 'Register with the TPM of this device.'],
  ['403', 'Check token and manufacturer id; a registrar of the original kind says 403 to every fault.'],
]);

function readSecret(body: Readonly<Record<string, unknown>>): Secret | WrappedDeviceSecret {
  const { wrappedSecret } = body;
  if (wrappedSecret === undefined) return Secret.fromText(textOf(body, 'accessSecret'));
  if (typeof wrappedSecret !== 'object' || wrappedSecret === null) throw malformed('wrappedSecret');
  const parts = wrappedSecret as Readonly<Record<string, unknown>>;
  return {
    idObject: Buffer.from(textOf(parts, 'idObject'), 'base64'),
    encryptedSecret: Buffer.from(textOf(parts, 'encryptedSecret'), 'base64'),
  };
}

/** Reads a reply that is a JSON object. Throws `ERR_REMOTE_MALFORMED`. */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RemoteProtocolError('ERR_REMOTE_MALFORMED', 'the registrar’s reply is no JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('$');
  return value as Readonly<Record<string, unknown>>;
}

/** More than any id or secret has. */
const maxTextLength = 4_096;

function textOf(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name];
  if (typeof value === 'string' && value !== '' && value.length <= maxTextLength) return value;
  throw malformed(name);
}

function malformed(name: string): RemoteProtocolError {
  return new RemoteProtocolError('ERR_REMOTE_MALFORMED', `the registrar’s reply has no usable ${name}`, {
    evidence: { path: name },
  });
}
