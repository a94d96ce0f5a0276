import { EventEmitter } from 'node:events';
import type {
  AzurePollingTransport,
  AzureSymmetricKeyProvisioningTransport,
  AzureTpmProvisioningTransport,
  AzureX509ProvisioningTransport,
} from '@endorse/azure-compat';
import type { Call } from './callback-parts.ts';
import { registrationId, sessionKey, symmetricKey } from './callback-parts.ts';

export const operationId = '5.316aac5bdc130deb.11111111-2222-4333-8444-555555555555';

/** The JSON of an assignment, as official transports give it. */
export const assignedJson = {
  operationId,
  status: 'assigned',
  registrationState: {
    registrationId,
    assignedHub: 'hub.example.test',
    deviceId: registrationId,
    status: 'assigned',
    tpm: { authenticationKey: symmetricKey.toString('base64') },
  },
} as const;

/** How one register or status request of {@link createOfficialShape} ends. */
export type Ending =
  | { readonly result: unknown; readonly pollingInterval?: number }
  | { readonly error: unknown }
  | { readonly never: true };

/** What else a fake does than call back at once. */
export interface Hooks {
  readonly cancel?: (done: () => void) => void;
  readonly disconnect?: (done: () => void) => void;
  readonly challenge?: (done: (error?: unknown) => void) => void;
}

/** A TPM transport with the official interface: endings in order, every call remembered. */
export function createOfficialShape(
  endings: readonly Ending[],
  hooks: Hooks = {},
): AzureTpmProvisioningTransport & { readonly calls: readonly Call[] } {
  const calls: Call[] = [];
  return {
    calls,
    ...createPollingShape(calls, endings, hooks),
    setTpmInformation(endorsementKey, storageRootKey) {
      calls.push({ method: 'setTpmInformation', args: [endorsementKey, storageRootKey] });
    },
    getAuthenticationChallenge(request, callback) {
      calls.push({ method: 'getAuthenticationChallenge', args: [request] });
      const { challenge = (done: () => void) => setImmediate(done) } = hooks;
      challenge((error) => (error === undefined ? callback(null, sessionKey) : callback(error as Error)));
    },
    respondToAuthenticationChallenge(request, sasToken, callback) {
      calls.push({ method: 'respondToAuthenticationChallenge', args: [request, sasToken] });
      setImmediate(callback);
    },
  };
}

/** One for keys and certificates, which emits like the official one over MQTT. */
export function createMqttShape(
  endings: readonly Ending[],
  hooks: Hooks = {},
): AzureSymmetricKeyProvisioningTransport &
  AzureX509ProvisioningTransport &
  EventEmitter & { readonly calls: readonly Call[] } {
  const calls: Call[] = [];
  const remember =
    (method: string) =>
    (...args: readonly unknown[]): void =>
      void calls.push({ method, args });
  return Object.assign(new EventEmitter(), createPollingShape(calls, endings, hooks), {
    calls,
    setSharedAccessSignature: remember('setSharedAccessSignature'),
    setAuthentication: remember('setAuthentication'),
    setTransportOptions: remember('setTransportOptions'),
  });
}

function createPollingShape(calls: Call[], endings: readonly Ending[], hooks: Hooks): AzurePollingTransport {
  let next = 0;
  const end = (
    callback: (error?: Error | null, result?: never, response?: unknown, interval?: number) => void,
  ): void => {
    const ending = endings[next] ?? { error: new Error('the fake has no more endings') };
    next += 1;
    setImmediate(() => {
      if ('never' in ending) return;
      if ('error' in ending) callback(ending.error as Error);
      else callback(null, ending.result as never, undefined, ending.pollingInterval);
    });
  };
  return {
    registrationRequest(request, callback) {
      calls.push({ method: 'registrationRequest', args: [request] });
      end(callback);
    },
    queryOperationStatus(request, operation, callback) {
      calls.push({ method: 'queryOperationStatus', args: [request, operation] });
      end(callback);
    },
    cancel(callback) {
      calls.push({ method: 'cancel', args: [] });
      (hooks.cancel ?? setImmediate)(() => callback());
    },
    disconnect(callback) {
      calls.push({ method: 'disconnect', args: [] });
      (hooks.disconnect ?? setImmediate)(() => callback());
    },
  };
}

export function methodsOf(calls: readonly Call[]): readonly string[] {
  return calls.map(({ method }) => method);
}

/** An error as the official SDK makes them: the name is what tells them apart. */
export function named(name: string, fields: object = {}): Error {
  return Object.assign(new Error(`${name} happened`), { name, ...fields });
}
