import { RemoteProtocolError, ServiceError, TransportError, isEndorseError } from '@endorse/interface';
import { serviceErrorRemedy } from '@endorse/protocol';
import { isTlsAlert, tlsError } from '@endorse/transport-socket';

/** Where a connection was when it failed. */
export interface FailureContext {
  /** What was being attempted, for messages. */
  readonly attempted: string;
  /** `host:port`. */
  readonly address: string;
}

/** The connection broke, or the peer broke MQTT; errors that are typed already pass. */
export function brokenError(error: Error, context: FailureContext): Error {
  if (isEndorseError(error)) return error;
  // TLS 1.3 refuses a client certificate after the handshake.
  return isTlsAlert(error) ? tlsError(context.address, error) : lostError(context, error);
}

/** The connection ended without a word. */
export function lostError({ attempted, address }: FailureContext, cause?: Error): Error {
  return new TransportError('ERR_TRANSPORT_LOST', `${attempted}: the connection to ${address} was lost`, {
    ...(cause === undefined ? {} : { cause }),
    phase: 'receive',
    retryable: true,
    remedy: 'Try again: register and status requests may be repeated safely.',
  });
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
