/**
 * What a device does at every boot: credentials that are stored are used, others are asked for.
 *
 * 1. A proof is made and on the disk before the first request.
 * 2. The request goes out, again and again with growing, jittered pauses, until it is answered for good.
 * 3. The reply is checked, then stored; only then is it acknowledged.
 *
 * A power loss anywhere in between costs nothing: with the same proof the registrar gives the same device.
 */
import type { Clock, RandomSource } from '@endorse/interface';
import {
  InvalidArgumentError,
  Secret,
  TimeoutError,
  isEndorseError,
  isRetryableStatus,
} from '@endorse/interface';
import { systemClock, systemRandom } from '@endorse/interface/node';
import { inspectToken } from '../tokens/inspect.ts';
import { checkBroker, registrationUrl } from './addresses.ts';
import { DeviceRegistrationError } from './errors.ts';
import type { HttpAnswer } from './http-call.ts';
import { callHttp } from './http-call.ts';
import { acknowledge } from './device-calls.ts';
import type { DeviceCredentials, EnsureRegisteredOptions } from './options.ts';
import type { RegistrationReply } from './reply.ts';
import { decodeRefusal, decodeReply } from './reply.ts';
import type { DeviceState } from './state-file.ts';
import { createState, readState, replaceState } from './state-file.ts';

const defaultDeadlineMs = 15 * 60_000;
const defaultAttemptTimeoutMs = 20_000;
const proofBytes = 32;

/** The first pause, in milliseconds; the next ones double. A fleet that boots together must not come back together. */
const firstPauseMs = 1_000;
const maxPauseMs = 60_000;

/** The longest pause a registrar may ask for, in milliseconds. */
const maxRetryAfterMs = 3_600_000;

/**
 * Makes sure that this device is registered and resolves with its credentials.
 *
 * Rejects with `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for an option, `ERR_TOKEN_REFUSED` for a token that is none,
 * `ERR_REGISTRATION_URL` for an address without TLS, `ERR_REGISTRATION_REFUSED` with the registrar's reason,
 * `ERR_REMOTE_MALFORMED` for a reply that must not be stored, `ERR_REGISTRATION_STATE`, `ERR_TRANSPORT_TLS`,
 * `ERR_TIMEOUT` with the last failure as its cause, or the signal's reason.
 */
export async function ensureRegistered(options: EnsureRegisteredOptions): Promise<DeviceCredentials> {
  const { stateFile, manufacturerId, random = systemRandom, onProgress } = options;
  const run = checkOptions(options);
  const stored = await readState(stateFile);
  const known = stored === undefined ? undefined : credentialsOf(stored, 'stored');
  if (known !== undefined) return known;
  const proof = Buffer.from(random.bytes(proofBytes)).toString('base64url');
  const state = stored ?? (await createState(stateFile, { manufacturerId, proof }));
  const raced = credentialsOf(state, 'stored');
  if (raced !== undefined) return raced;
  if (state.manufacturerId !== manufacturerId) {
    throw new DeviceRegistrationError(
      'ERR_REGISTRATION_STATE',
      `${stateFile} is of another manufacturer id`,
      {
        remedy: `Remove ${stateFile}, or use the id it was made for.`,
      },
    );
  }
  if (stored === undefined) onProgress?.({ event: 'state-written' });
  const reply = await requestUntilAnswered(state, run, options);
  const registered = await toState(state, reply, run, options);
  await replaceState(stateFile, registered);
  onProgress?.({ event: 'credentials-stored', deviceId: reply.deviceId });
  const credentials = credentialsOf(registered, 'registered');
  if (credentials === undefined) throw new TypeError('the state that was written holds no credentials');
  if (reply.takesAcknowledgement) await acknowledgeOnce(credentials, run, options);
  return credentials;
}

interface Run {
  readonly url: URL;
  readonly claimedBroker: string | undefined;
  readonly allowPlain: boolean;
  readonly ca: string | undefined;
  readonly attemptTimeoutMs: number;
  readonly deadlineMs: number;
  readonly giveUpAt: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

function checkOptions(options: EnsureRegisteredOptions): Run {
  const { token, manufacturerId, stateFile, allowPlainHttp = false, clock = systemClock } = options;
  if (!(token instanceof Secret)) throw new InvalidArgumentError('options.token', 'must be a Secret');
  if (typeof manufacturerId !== 'string' || manufacturerId === '' || manufacturerId.length > 255) {
    throw new InvalidArgumentError('options.manufacturerId', 'must be text of 1 to 255 characters');
  }
  if (typeof stateFile !== 'string' || stateFile === '') {
    throw new InvalidArgumentError('options.stateFile', 'must be the path of a file');
  }
  const deadlineMs = inRange('deadlineMs', options.deadlineMs ?? defaultDeadlineMs, 1_000, 7 * 86_400_000);
  const attemptTimeoutMs = inRange(
    'attemptTimeoutMs',
    options.attemptTimeoutMs ?? defaultAttemptTimeoutMs,
    100,
    300_000,
  );
  // Not verified: the registrar does that. The address is checked instead.
  const { claims } = inspectToken(token.revealText());
  const url = registrationUrl(options.url ?? claims.url, allowPlainHttp);
  if (claims.broker !== undefined) checkBroker(claims.broker, allowPlainHttp);
  return {
    url,
    claimedBroker: claims.broker,
    allowPlain: allowPlainHttp,
    ca: options.ca,
    attemptTimeoutMs,
    deadlineMs,
    giveUpAt: clock.now() + deadlineMs,
    clock,
    signal: options.signal ?? new AbortController().signal,
  };
}

function inRange(name: string, value: number, minimum: number, maximum: number): number {
  if (value >= minimum && value <= maximum) return value;
  throw new InvalidArgumentError(`options.${name}`, `must be ${minimum} to ${maximum}`, 'ERR_OUT_OF_RANGE');
}

function credentialsOf(
  state: DeviceState,
  source: DeviceCredentials['source'],
): DeviceCredentials | undefined {
  const { deviceId, accessKey, accessSecret, broker } = state;
  if (!deviceId || !accessKey || !accessSecret) return undefined;
  return { deviceId, accessKey, accessSecret: Secret.fromText(accessSecret), broker, source };
}

async function requestUntilAnswered(
  state: DeviceState,
  run: Run,
  options: EnsureRegisteredOptions,
): Promise<RegistrationReply> {
  const { clock, signal, giveUpAt, deadlineMs } = run;
  const { random = systemRandom, onProgress } = options;
  const body = await requestBody(state, options);
  for (let attempt = 1; ; attempt += 1) {
    onProgress?.({ event: 'request-sent', attempt, url: run.url.href });
    const outcome = await attemptOnce(body, run);
    if ('reply' in outcome) {
      onProgress?.({ event: 'reply-received', deviceId: outcome.reply.deviceId });
      return outcome.reply;
    }
    const delayMs = Math.max(outcome.retryAfterMs, jitteredPause(attempt, random));
    if (clock.now() + delayMs >= giveUpAt) {
      throw new TimeoutError(
        `not registered after ${attempt} attempts in ${deadlineMs} ms`,
        { deadlineMs, state: 'registering', retryable: true },
        { cause: outcome.error, remedy: 'Start again: the proof is stored, so nothing is lost.' },
      );
    }
    const code = isEndorseError(outcome.error) ? outcome.error.code : 'ERR_UNEXPECTED';
    onProgress?.({ event: 'retry-scheduled', delayMs, code });
    await clock.sleep(delayMs, signal);
  }
}

async function requestBody(
  { manufacturerId, proof }: DeviceState,
  { token, tpm }: EnsureRegisteredOptions,
): Promise<string> {
  const keys =
    tpm === undefined
      ? {}
      : {
          tpm: {
            endorsementKey: Buffer.from(await tpm.getEndorsementKey()).toString('base64'),
            storageRootKey: Buffer.from(await tpm.getStorageRootKey()).toString('base64'),
          },
        };
  return JSON.stringify({ token: token.revealText(), manufacturerId, proof, ...keys });
}

type Attempt =
  | { readonly reply: RegistrationReply }
  | { readonly error: unknown; readonly retryAfterMs: number };

async function attemptOnce(body: string, { url, attemptTimeoutMs, signal, ca }: Run): Promise<Attempt> {
  let answer: HttpAnswer;
  try {
    answer = await callHttp({
      url,
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body,
      ca,
      timeoutMs: attemptTimeoutMs,
      signal,
    });
  } catch (error) {
    if (signal.aborted || !isEndorseError(error) || !error.retryable) throw error;
    return { error, retryAfterMs: 0 };
  }
  if (answer.status === 200 || answer.status === 201) return { reply: decodeReply(answer) };
  const refusal = decodeRefusal(answer);
  const passes = isRetryableStatus(answer.status) || answer.status === 425;
  if (!passes) throw refusal;
  const seconds = Number(answer.headers['retry-after'] ?? 0);
  return { error: refusal, retryAfterMs: Math.min(maxRetryAfterMs, seconds > 0 ? seconds * 1000 : 0) };
}

function jitteredPause(attempt: number, random: RandomSource): number {
  const longest = Math.min(maxPauseMs, firstPauseMs * 2 ** Math.min(attempt - 1, 16));
  const [high = 0, low = 0] = random.bytes(2);
  // Between half of it and all of it.
  return Math.round(longest / 2 + (longest / 2) * ((high * 256 + low) / 65_535));
}

async function toState(
  state: DeviceState,
  reply: RegistrationReply,
  run: Run,
  { tpm }: EnsureRegisteredOptions,
): Promise<DeviceState> {
  const broker = reply.broker === undefined ? run.claimedBroker : checkBroker(reply.broker, run.allowPlain);
  const { secret, deviceId, accessKey } = reply;
  const common = { ...state, deviceId, accessKey, ...(broker === undefined ? {} : { broker }) };
  if (secret instanceof Secret) return { ...common, accessSecret: secret.revealText() };
  if (tpm === undefined) {
    throw new DeviceRegistrationError(
      'ERR_REGISTRATION_SECRET',
      'the secret is wrapped for a TPM, and there is none',
    );
  }
  const opened = await tpm.activateCredential(secret);
  return { ...common, accessSecret: Buffer.from(opened).toString('base64url') };
}

/** Best effort: the first use of the credentials says the same. */
async function acknowledgeOnce(
  credentials: DeviceCredentials,
  run: Run,
  { onProgress }: EnsureRegisteredOptions,
): Promise<void> {
  try {
    await acknowledge(credentials, {
      url: run.url.href,
      ca: run.ca,
      allowPlainHttp: run.allowPlain,
      signal: run.signal,
    });
    onProgress?.({ event: 'acknowledged', deviceId: credentials.deviceId });
  } catch (error) {
    if (run.signal.aborted || !isEndorseError(error)) throw error;
  }
}
