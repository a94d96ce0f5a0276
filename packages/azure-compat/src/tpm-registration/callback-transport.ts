import type {
  Clock,
  RegistrationReply,
  RegistrationSession,
  RegistrationTarget,
  SessionAttestation,
  Transport,
} from '@endorse/interface';
import { RemoteProtocolError, UnsupportedCapabilityError } from '@endorse/interface';
import type { AzureErrorCallback, AzureRegistrationRequest } from '../azure-types.ts';
import type { ForeignCallback } from '../callbacks.ts';
import { toChallenge } from '../from/challenge.ts';
import { ForeignCalls } from '../from/foreign-calls.ts';
import { toAzureRequest } from '../operation-json.ts';
import { requireMethods } from '../required-methods.ts';

/** What a {@link CallbackTpmTransport} is told about the device when it registers. */
export interface TpmRegistrationInfo {
  readonly registrationId: string;
  /** TPM2B_PUBLIC of the endorsement key. */
  readonly endorsementKey: Buffer;
  /** TPM2B_PUBLIC of the storage root key. */
  readonly storageRootKey: Buffer;
  /** The request of the challenge, for transports that want the rest of it. */
  readonly request: AzureRegistrationRequest;
}

/** What a {@link CallbackTpmTransport} calls back with: hub, device and wrapped key, and whatever else it likes. */
export interface TpmRegistrationResult {
  /** Name of the assigned hub. */
  readonly assignedHub?: string;
  /** Name of the device on its hub. */
  readonly deviceId?: string;
  /** The wrapped hub key: bytes, or base64. */
  readonly symmetricKey: string | Uint8Array;
  readonly [key: string]: unknown;
}

/**
 * A TPM transport in the form of the `TpmRegistration` requirements: one call
 * fetches the challenge, one call registers and polls to the end.
 */
export interface CallbackTpmTransport {
  /** Asks for a key that only this TPM can open. */
  getAuthenticationChallenge(
    request: AzureRegistrationRequest,
    callback: (error: Error | null, sessionKey?: Buffer) => void,
  ): void;
  /** Registers with the token, and calls back when the device is assigned. */
  register(
    sasToken: string,
    registrationInfo: TpmRegistrationInfo,
    callback: (error: Error | null, result?: TpmRegistrationResult) => void,
  ): void;
  /** Gives up the request in progress. */
  cancel?(callback: AzureErrorCallback): void;
  /** Closes the connection. */
  disconnect?(callback: AzureErrorCallback): void;
}

/** Puts such a transport behind our contract; `onResult` is told what it called back with. */
export function fromCallbackTpmTransport(
  transport: CallbackTpmTransport,
  options: { readonly clock: Clock; readonly onResult: (result: unknown) => void },
): Transport {
  requireMethods('transport', transport, ['getAuthenticationChallenge', 'register']);
  return Object.freeze({
    specificationVersion: 'v1',
    capabilities: Object.freeze({
      carrier: 'callback',
      attestations: Object.freeze(['tpm'] as const),
      refusals: Object.freeze({}),
      challenge: 'handshake',
      proxy: false,
    }),
    openSession(target: RegistrationTarget, attestation: SessionAttestation): RegistrationSession {
      if (attestation.kind === 'tpm') return openSession(transport, target, options);
      throw new UnsupportedCapabilityError(`a callback transport does not carry ${attestation.kind}`, {
        required: attestation.kind,
        available: ['tpm'],
      });
    },
  } satisfies Transport);
}

function openSession(
  transport: CallbackTpmTransport,
  target: RegistrationTarget,
  { clock, onResult }: { readonly clock: Clock; readonly onResult: (result: unknown) => void },
): RegistrationSession {
  const calls = new ForeignCalls(
    {
      cancel: transport.cancel === undefined ? undefined : (callback) => transport.cancel?.(callback),
      disconnect:
        transport.disconnect === undefined ? undefined : (callback) => transport.disconnect?.(callback),
    },
    clock,
    () => undefined,
  );
  return {
    async getAuthenticationChallenge(keys, { signal }) {
      const start = (callback: ForeignCallback<readonly [Buffer?]>): void =>
        transport.getAuthenticationChallenge(toAzureRequest(target, keys), callback);
      const [challenge] = await calls.call('get challenge', start, signal);
      return toChallenge(challenge);
    },
    async register({ sasToken, registrationInfo }, { signal }) {
      const { endorsementKey = new Uint8Array(), storageRootKey = new Uint8Array() } = registrationInfo;
      const info: TpmRegistrationInfo = {
        registrationId: target.registrationId,
        endorsementKey: Buffer.from(endorsementKey),
        storageRootKey: Buffer.from(storageRootKey),
        request: toAzureRequest(target, registrationInfo),
      };
      const start = (callback: ForeignCallback<readonly [TpmRegistrationResult?]>): void =>
        transport.register(sasToken?.revealText() ?? '', info, callback);
      const [result] = await calls.call('register', start, signal);
      onResult(result);
      return toReply(result);
    },
    async queryOperationStatus() {
      // Its register() polls, so an answer of ours never has anything left to ask about.
      throw new RemoteProtocolError(
        'ERR_REMOTE_UNEXPECTED',
        'a callback transport has no operations to ask about',
      );
    },
    close: calls.close,
    [Symbol.asyncDispose]: calls.close,
  };
}

/** Only the key matters to us: the caller gets the result itself, whatever it calls hub and device. */
function toReply(result: TpmRegistrationResult | undefined): RegistrationReply {
  const authenticationKey = decodeKey(result?.symmetricKey);
  const { assignedHub = 'unknown', deviceId = 'unknown' } = result ?? {};
  return {
    operation: {
      operationId: '',
      status: 'assigned',
      registrationState: { assignedHub, deviceId, tpm: { authenticationKey } },
    },
  };
}

function decodeKey(key: unknown): Uint8Array {
  const bytes = typeof key === 'string' ? Buffer.from(key, 'base64') : key;
  if (bytes instanceof Uint8Array && bytes.byteLength > 0) return Uint8Array.from(bytes);
  throw new RemoteProtocolError(
    'ERR_REMOTE_UNEXPECTED',
    'register: the transport called back without a key',
    {
      evidence: { path: 'result.symmetricKey' },
    },
  );
}
