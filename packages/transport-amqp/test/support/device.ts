import type { RegistrationReply, RegistrationSession, SessionAttestation } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import type { AmqpTransportOptions } from '@endorse/transport-amqp';
import { createAmqpTransport } from '@endorse/transport-amqp';

/** A signal that nobody aborts. */
export const signal: AbortSignal = new AbortController().signal;

/** A token that a service of ours believes. */
export const sasToken = Secret.fromText(
  'SharedAccessSignature sr=a&sig=c2VjcmV0&se=4102444800&skn=registration',
);

const registrationId = 'my-device';

/** Opens a session to a host, with a shared key unless told otherwise. */
export function openDevice(
  peer: { readonly host: string; readonly ca: string },
  options: AmqpTransportOptions = {},
  attestation: SessionAttestation = { kind: 'symmetric-key' },
): RegistrationSession {
  const target = { provisioningHost: peer.host, idScope: '0ne1', registrationId };
  return createAmqpTransport({ ca: peer.ca, ...options }).openSession(target, attestation);
}

/** Registers. */
export function register(session: RegistrationSession, token: Secret = sasToken): Promise<RegistrationReply> {
  return session.register({ sasToken: token, registrationInfo: { registrationId } }, { signal });
}

/** Polls. */
export function poll(session: RegistrationSession, token: Secret = sasToken): Promise<RegistrationReply> {
  return session.queryOperationStatus({ sasToken: token, registrationId, operationId: '5.0.op' }, { signal });
}

/** Asks for a challenge. */
export function challenge(
  session: RegistrationSession,
  peer: { readonly host: string },
): ReturnType<RegistrationSession['getAuthenticationChallenge']> {
  const endorsementKey = new Uint8Array(316).fill(1);
  const storageRootKey = new Uint8Array(284).fill(2);
  const target = { provisioningHost: peer.host, idScope: '0ne1', registrationId };
  return session.getAuthenticationChallenge({ ...target, endorsementKey, storageRootKey }, { signal });
}
