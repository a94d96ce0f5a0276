import { RemoteProtocolError, ServiceError, isEndorseError } from '@endorse/interface';
import { serviceErrorRemedy } from '@endorse/protocol';
import type { FailureContext } from '@endorse/transport-socket';
import { lostError } from '@endorse/transport-socket';

/** The connection broke, or the peer broke MQTT; errors that are typed already pass. */
export function brokenError(error: Error, context: FailureContext): Error {
  return isEndorseError(error) ? error : lostError(context, error);
}

/** What mqtt.js makes of a CONNACK that refuses; undefined when the error is none of those. MQTT 3.1.1 section 3.2.2.3. */
export function refusalError(error: unknown, { attempted, address }: FailureContext): Error | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  if (typeof code !== 'number') return undefined;
  const status = statusOf[code];
  if (status === undefined) {
    return new RemoteProtocolError(
      'ERR_REMOTE_UNEXPECTED',
      `${attempted}: ${address} refused the connection with the MQTT code ${code}`,
      {
        evidence: { path: 'connack', sample: String(code) },
        remedy: 'Check that the host is the provisioning service.',
      },
    );
  }
  return new ServiceError(
    `${attempted}: the service refused the connection with the MQTT code ${code} (${status.text})`,
    { status: status.status },
    { remedy: serviceErrorRemedy(status.status) },
  );
}

const statusOf: Readonly<Record<number, { readonly status: number; readonly text: string }>> = {
  2: { status: 400, text: 'identifier rejected' },
  3: { status: 503, text: 'server unavailable' },
  4: { status: 401, text: 'bad user name or password' },
  5: { status: 401, text: 'not authorized' },
};

/** The service would not let us subscribe to its answers. */
export function subscriptionError({ attempted, address }: FailureContext): Error {
  return new RemoteProtocolError(
    'ERR_REMOTE_UNEXPECTED',
    `${attempted}: ${address} refused the subscription to its answers`,
    { evidence: { path: 'suback' }, remedy: 'Check that the host is the provisioning service.' },
  );
}
