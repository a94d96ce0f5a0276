/** What a registered device asks its registrar. */
import { Secret } from '@endorse/interface';
import { registrationUrl } from './addresses.ts';
import { DeviceRegistrationError } from './errors.ts';
import type { HttpAnswer } from './http-call.ts';
import { callHttp } from './http-call.ts';
import type { DeviceCredentials } from './options.ts';
import { decodeRefusal, decodeReply, parseObject } from './reply.ts';
import { readState, replaceState } from './state-file.ts';

/** Who asks whom. */
export interface DeviceCallOptions {
  /** Address of the registration, of which host and port count. */
  readonly url: string;
  /** PEM of the CAs to trust; default the system's. */
  readonly ca?: string | undefined;
  /** Allows `http:` to this machine itself; default false. */
  readonly allowPlainHttp?: boolean;
  /** How long the call may take, in milliseconds; default 20,000. */
  readonly timeoutMs?: number;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

interface Identity {
  readonly accessKey: string;
  readonly accessSecret: Secret;
}

/** Tells the registrar that the credentials are stored, so that it will not issue the secret again. Rejects with `ERR_REGISTRATION_REFUSED` or `ERR_TRANSPORT_…`. */
export async function acknowledge(credentials: Identity, options: DeviceCallOptions): Promise<void> {
  await call(credentials, 'POST', '/api/device/acknowledgement', 204, options);
}

/** What the registrar knows of this device: name, recipe, attributes, tags. Rejects as {@link acknowledge} does, and with `ERR_REMOTE_MALFORMED`. */
export async function fetchDevice(
  credentials: Identity,
  options: DeviceCallOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const { text } = await call(credentials, 'GET', '/api/device', 200, options);
  return parseObject(text);
}

/**
 * Gets new credentials and stores them in the state file. The old ones are good until the new ones are used, so that
 * nothing is lost when the power is. Rejects as {@link acknowledge} does, and with `ERR_REMOTE_MALFORMED` or `ERR_REGISTRATION_STATE`.
 */
export async function rotateCredentials(
  credentials: Identity,
  options: DeviceCallOptions & { readonly stateFile: string },
): Promise<DeviceCredentials> {
  const state = await readState(options.stateFile);
  if (state === undefined) {
    throw new DeviceRegistrationError('ERR_REGISTRATION_STATE', `${options.stateFile} is not there`);
  }
  const reply = decodeReply(await call(credentials, 'POST', '/api/device/credentials', 200, options));
  if (!(reply.secret instanceof Secret)) {
    throw new DeviceRegistrationError('ERR_REGISTRATION_SECRET', 'the secret is wrapped for a TPM');
  }
  const { deviceId, accessKey, secret } = reply;
  await replaceState(options.stateFile, { ...state, deviceId, accessKey, accessSecret: secret.revealText() });
  return {
    deviceId,
    accessKey,
    accessSecret: secret,
    broker: reply.broker ?? state.broker,
    source: 'registered',
  };
}

const defaultTimeoutMs = 20_000;

async function call(
  { accessKey, accessSecret }: Identity,
  method: 'GET' | 'POST',
  path: string,
  expected: number,
  options: DeviceCallOptions,
): Promise<HttpAnswer> {
  const {
    ca,
    allowPlainHttp = false,
    timeoutMs = defaultTimeoutMs,
    signal = new AbortController().signal,
  } = options;
  const url = new URL(path, registrationUrl(options.url, allowPlainHttp));
  const basic = Buffer.from(`${accessKey}:${accessSecret.revealText()}`).toString('base64');
  const headers = { authorization: `Basic ${basic}`, accept: 'application/json' };
  const answer = await callHttp({ url, method, headers, ca, timeoutMs, signal });
  if (answer.status !== expected) throw decodeRefusal(answer);
  return answer;
}
