import type { RegistrationReply, RegistrationSession, SessionAttestation } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import type { MqttTransportOptions } from '@endorse/transport-mqtt';
import { createMqttTransport } from '@endorse/transport-mqtt';

/** A signal that nobody aborts. */
export const signal: AbortSignal = new AbortController().signal;

/** A token that a service of ours believes. */
export const sasToken = Secret.fromText(
  'SharedAccessSignature sr=a&sig=c2VjcmV0LXNpZ25hdHVyZQ%3D%3D&se=4102444800&skn=registration',
);

export const registrationId = 'my-device';

/** Opens a session to a host, with a shared key unless told otherwise. */
export function openDevice(
  peer: { readonly host: string; readonly ca: string },
  options: MqttTransportOptions = {},
  attestation: SessionAttestation = { kind: 'symmetric-key' },
): RegistrationSession {
  const target = { provisioningHost: peer.host, idScope: '0ne1', registrationId };
  return createMqttTransport({ ca: peer.ca, ...options }).openSession(target, attestation);
}

/** Registers. */
export function register(session: RegistrationSession, token: Secret = sasToken): Promise<RegistrationReply> {
  return session.register({ sasToken: token, registrationInfo: { registrationId } }, { signal });
}

/** Polls. */
export function poll(session: RegistrationSession, token: Secret = sasToken): Promise<RegistrationReply> {
  return session.queryOperationStatus({ sasToken: token, registrationId, operationId: '5.0.op' }, { signal });
}
