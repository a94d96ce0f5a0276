import { createHmac } from 'node:crypto';
import type {
  AzureRegistrationRequest,
  AzureTpmSecurityClient,
  CallbackTpmTransport,
  TpmRegistrationInfo,
  TpmRegistrationResult,
} from '@endorse/azure-compat';

export const endorsementKey: Buffer = Buffer.of(0, 4, 0xe, 0xe, 0xe, 0xe);
export const storageRootKey: Buffer = Buffer.of(0, 4, 5, 5, 5, 5);
export const sessionKey: Buffer = Buffer.alloc(32, 'session key of the challenge');
export const symmetricKey: Buffer = Buffer.alloc(32, 'symmetric key of the hub');
export const target = { provisioningHost: 'dps.example.test', idScope: '0ne00000001' } as const;
export const registrationId = 'tpm-device-1';

/** What was called, with its arguments but the callback. */
export interface Call {
  readonly method: string;
  readonly args: readonly unknown[];
}

/** How a call of a fake ends instead of well: with an error, never, or by running something first. */
export interface Deviation {
  readonly error?: unknown;
  readonly never?: boolean;
  readonly before?: () => void;
}

export type Deviations = Readonly<Partial<Record<string, Deviation>>>;

/** Calls back as planned, asynchronously. */
function end(
  deviation: Deviation | undefined,
  callback: (error?: unknown) => void,
  succeed: () => void,
): void {
  setImmediate(() => {
    deviation?.before?.();
    if (deviation?.never === true) return;
    if (deviation?.error === undefined) succeed();
    else callback(deviation.error);
  });
}

/** A security client with callbacks that takes a blob for the key itself. */
export function createCallbackClient(
  deviations: Deviations = {},
): AzureTpmSecurityClient & { readonly calls: readonly Call[]; readonly identityKey: () => Buffer } {
  const calls: Call[] = [];
  let identityKey: Buffer = Buffer.alloc(0);
  let activations = 0;
  return {
    calls,
    identityKey: () => identityKey,
    getEndorsementKey(callback) {
      calls.push({ method: 'getEndorsementKey', args: [] });
      end(deviations['getEndorsementKey'], callback as (error?: unknown) => void, () =>
        callback(null, endorsementKey),
      );
    },
    getStorageRootKey(callback) {
      calls.push({ method: 'getStorageRootKey', args: [] });
      end(deviations['getStorageRootKey'], callback as (error?: unknown) => void, () =>
        callback(null, storageRootKey),
      );
    },
    getRegistrationId(callback) {
      calls.push({ method: 'getRegistrationId', args: [] });
      end(deviations['getRegistrationId'], callback as (error?: unknown) => void, () =>
        callback(null, registrationId),
      );
    },
    activateIdentityKey(key, callback) {
      calls.push({ method: 'activateIdentityKey', args: [key] });
      activations += 1;
      const deviation =
        deviations[activations === 1 ? 'activateIdentityKey' : 'activateIdentityKey of the hub key'];
      end(deviation, callback as (error?: unknown) => void, () => {
        identityKey = Buffer.from(key);
        callback(null);
      });
    },
    signWithIdentity(toSign, callback) {
      calls.push({ method: 'signWithIdentity', args: [toSign] });
      end(deviations['signWithIdentity'], callback as (error?: unknown) => void, () =>
        callback(null, createHmac('sha256', identityKey).update(toSign).digest()),
      );
    },
  };
}

export const registrationResult: TpmRegistrationResult = {
  assignedHub: 'hub.example.test',
  deviceId: registrationId,
  symmetricKey: symmetricKey.toString('base64'),
};

/** A transport in the form of the requirements. */
export function createCallbackTransport(
  deviations: Deviations = {},
  result: TpmRegistrationResult = registrationResult,
): CallbackTpmTransport & { readonly calls: readonly Call[] } {
  const calls: Call[] = [];
  return {
    calls,
    getAuthenticationChallenge(request: AzureRegistrationRequest, callback) {
      calls.push({ method: 'getAuthenticationChallenge', args: [request] });
      end(deviations['getAuthenticationChallenge'], callback as (error?: unknown) => void, () =>
        callback(null, sessionKey),
      );
    },
    register(sasToken: string, registrationInfo: TpmRegistrationInfo, callback) {
      calls.push({ method: 'register', args: [sasToken, registrationInfo] });
      end(deviations['register'], callback as (error?: unknown) => void, () => callback(null, result));
    },
    cancel(callback) {
      calls.push({ method: 'cancel', args: [] });
      end(deviations['cancel'], callback as (error?: unknown) => void, () => callback());
    },
    disconnect(callback) {
      calls.push({ method: 'disconnect', args: [] });
      end(deviations['disconnect'], callback as (error?: unknown) => void, () => callback());
    },
  };
}

/** Arguments of the nth call of a method. */
export function argsOf(calls: readonly Call[], method: string, nth = 0): readonly unknown[] {
  const call = calls.filter((candidate) => candidate.method === method)[nth];
  if (call === undefined) throw new Error(`${method} was not called ${nth + 1} times`);
  return call.args;
}

/** Every way a callback was called; resolves on the first, keeps counting. */
export function recordCallback<Value>(): {
  readonly callback: (error?: unknown, value?: Value) => void;
  readonly called: Promise<{ readonly error: unknown; readonly value: Value | undefined }>;
  readonly calls: readonly unknown[];
} {
  const calls: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<{ error: unknown; value: Value | undefined }>();
  return {
    calls,
    called: promise,
    callback(error, value) {
      calls.push({ error, value });
      resolve({ error, value });
    },
  };
}

/** Lets everything that is under way and needs no time come to its end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
