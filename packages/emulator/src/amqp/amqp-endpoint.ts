import { amqpWebSocketProtocol } from '@endorse/protocol';
import type { ConnectionInfo, StreamHandler } from '../listener/stream-handler.ts';
import type { AmqpHold, AmqpService } from './rhea-server.ts';

/** Sub-protocols of AMQP over WebSockets: the service's spelling, and that of the OASIS binding. */
export const amqpSubProtocols: readonly string[] = Object.freeze([amqpWebSocketProtocol, 'amqp']);

/** Makes the service of one connection; its module is loaded with the first of them. */
export type LoadAmqpService = () => Promise<(info: ConnectionInfo, hold: AmqpHold) => AmqpService>;

/** Makes the handler of AMQP connections, whatever carries them. A peer has 60 s to get to `open`, as its TPM may work in between. */
export function createAmqpHandler(loadService: LoadAmqpService, openTimeoutMs = 60_000): StreamHandler {
  return (stream, info) => {
    Promise.all([import('./rhea-server.ts'), loadService()]).then(
      ([{ serveRhea }, createService]) =>
        serveRhea(stream, openTimeoutMs, (hold) => createService(info, hold)),
      () => stream.destroy(),
    );
  };
}
