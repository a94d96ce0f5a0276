import type { Clock } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import { amqpWebSocketProtocol } from '@endorse/protocol';
import type { EmulatorCore } from '../core/core.ts';
import type { Stamps } from '../listener/fault-answer.ts';
import type { StreamHandler } from '../listener/stream-handler.ts';

/** Sub-protocols of AMQP over WebSockets: the service's spelling, and that of the OASIS binding. */
export const amqpSubProtocols: readonly string[] = Object.freeze([amqpWebSocketProtocol, 'amqp']);

/** What an AMQP endpoint serves. */
export interface AmqpEndpointParts {
  readonly core: EmulatorCore;
  readonly stamps: Stamps;
  /** From connecting to `open`, in milliseconds; default 60,000. */
  readonly openTimeoutMs?: number;
  /** For answers that are to leave late; default the system's. */
  readonly sleep?: Clock['sleep'];
}

/** Makes the handler of AMQP connections, whatever carries them. rhea is loaded with the first of them. */
export function createAmqpHandler(parts: AmqpEndpointParts): StreamHandler {
  const { openTimeoutMs = 60_000, sleep = systemClock.sleep } = parts;
  return (stream, info) => {
    import('./amqp-connection.ts').then(
      ({ serveAmqpConnection }) => serveAmqpConnection({ ...parts, openTimeoutMs, sleep }, stream, info),
      () => stream.destroy(),
    );
  };
}
