import type {
  ChallengeRequest,
  OperationStatusRequest,
  RegisterRequest,
  RegistrationSession,
  RegistrationTarget,
} from '@endorse/interface';
import { Secret } from '@endorse/interface';
import type { HttpTransportOptions } from '@endorse/transport-http';
import { createHttpTransport } from '@endorse/transport-http';
import type { Peer } from './peer.ts';

export const sasText =
  'SharedAccessSignature sr=0ne00000001%2Fregistrations%2Fdevice-1&sig=c2lnbmF0dXJlLW9mLXRoZS10ZXN0&se=1700003600&skn=registration';

/** A device that talks to a peer. */
export interface Device extends AsyncDisposable {
  readonly target: RegistrationTarget;
  readonly session: RegistrationSession;
  readonly challenge: ChallengeRequest;
  readonly register: RegisterRequest;
  readonly query: OperationStatusRequest;
}

/** Opens a TPM session to a host; the requests are ready to be sent. */
export function openDevice(
  provisioningHost: string,
  options: HttpTransportOptions = {},
  registrationId = 'device-1',
): Device {
  const target = { provisioningHost, idScope: '0ne00000001', registrationId };
  const session = createHttpTransport(options).openSession(target, { kind: 'tpm' });
  const endorsementKey = Uint8Array.from({ length: 316 }, (_, index) => index & 0xff);
  const storageRootKey = Uint8Array.from({ length: 284 }, (_, index) => index & 0xff);
  const sasToken = Secret.fromText(sasText);
  return {
    target,
    session,
    challenge: { ...target, endorsementKey, storageRootKey },
    register: { sasToken, registrationInfo: { registrationId, endorsementKey, storageRootKey } },
    query: { sasToken, registrationId, operationId: '5.316aac5bdc130deb.op' },
    [Symbol.asyncDispose]: () => session.close(),
  };
}

/** Opens a TPM session to a peer that is trusted. */
export function openTrustingDevice(peer: Peer, options: HttpTransportOptions = {}): Device {
  return openDevice(peer.host, { ca: peer.ca, ...options });
}

/** A signal nobody aborts. */
export const signal: AbortSignal = new AbortController().signal;

/** What the service says while it works. */
export const assigning = { operationId: '5.316aac5bdc130deb.op', status: 'assigning' };

/** What the service says to a device that asks for a challenge. */
export const challengeBody = {
  message: 'Authorization required, resend request using supplied key',
  authenticationKey: Buffer.from('a wrapped key').toString('base64'),
  unencryptedAuthenticationKey: null,
  keyName: 'registration',
};
