import { RemoteProtocolError, TransportError, isEndorseError } from '@endorse/interface';
import type { AmqpError } from '@endorse/protocol';
import { amqpErrorToServiceError, saslOutcomeToServiceError } from '@endorse/protocol';
import type { FailureContext } from '@endorse/transport-socket';

/** Where and when a connection failed. */
export interface AmqpFailureContext extends FailureContext {
  /** The time now, in milliseconds since 1970. */
  readonly nowMs: number;
}

/** The service closed the connection, the session or a link; with an error, or for no reason that it told. */
export function closedError(what: string, error: AmqpError | undefined, context: AmqpFailureContext): Error {
  if (error !== undefined) return amqpErrorToServiceError(error, context);
  const { attempted, address } = context;
  return new TransportError('ERR_TRANSPORT_LOST', `${attempted}: ${address} closed the ${what}`, {
    phase: 'receive',
    retryable: true,
    remedy: 'Try again: register and status requests may be repeated safely.',
  });
}

/** What rhea says of a failed SASL exchange; undefined when the error is none of those. */
export function saslError(text: string, { attempted }: FailureContext): Error | undefined {
  const outcome = /^Failed to authenticate: (\d+)$/.exec(text)?.[1];
  if (outcome !== undefined) return saslOutcomeToServiceError(Number(outcome), attempted);
  const offered = /^No suitable mechanism; server supports (.*)$/s.exec(text)?.[1];
  if (offered === undefined) return undefined;
  return new RemoteProtocolError(
    'ERR_REMOTE_UNEXPECTED',
    `${attempted}: the peer offers no SASL mechanism for this attestation`,
    {
      evidence: { path: 'sasl-mechanisms', sample: offered.slice(0, 200) },
      remedy: 'Check that the host is the provisioning service, and that it supports the attestation.',
    },
  );
}

/** The peer broke AMQP; errors that are typed already pass. */
export function violationError(error: unknown, { attempted }: FailureContext): Error {
  if (error instanceof Error && isEndorseError(error)) return error;
  const sample = error instanceof Error ? error.message.slice(0, 200) : 'unknown';
  return new RemoteProtocolError('ERR_REMOTE_MALFORMED', `${attempted}: the answer is not AMQP 1.0`, {
    evidence: { path: 'frame', sample },
    remedy: 'Check that the port belongs to the service.',
  });
}
