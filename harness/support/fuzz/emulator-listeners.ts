/** Every listener of the emulator, with every protocol that it takes. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { Emulator, EmulatorEndpoints } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import type { RecordedSession } from '@endorse/fuzzing';
import * as sessions from './emulator-sessions.ts';
import type { ListenerTarget } from './listener.ts';
import { converse, sessionProperty } from './listener.ts';
import { overWebSocket } from './web-socket.ts';

/** What a listener is spoken to. */
export type ListenerProtocol = 'http' | 'amqp' | 'mqtt' | 'amqp-ws' | 'mqtt-ws';

/** A listener of the emulator under test. */
export interface EmulatorListenerTarget extends ListenerTarget {
  readonly endpoint: keyof EmulatorEndpoints | 'admin';
  readonly protocol: ListenerProtocol;
}

/** Opens a connection to a URL of the emulator. */
export async function openConnection(url: string, ca: string): Promise<Duplex> {
  const { port, protocol } = new URL(url);
  const isPlain = protocol === 'http:';
  const at = { port: Number(port), host: '127.0.0.1' };
  const socket = isPlain ? connectTcp(at) : connectTls({ ...at, servername: 'localhost', ca });
  socket.on('error', () => undefined);
  await once(socket, isPlain ? 'connect' : 'secureConnect');
  return socket;
}

/** Sub-protocols of WebSockets, in the spelling of the official clients. */
export const subProtocols = { 'amqp-ws': ['AMQPWSB10', 'amqp'], 'mqtt-ws': ['mqtt'] } as const;

function target(
  endpoint: EmulatorListenerTarget['endpoint'],
  protocol: ListenerProtocol,
  record: (emulator: Emulator) => Promise<readonly RecordedSession[]>,
): EmulatorListenerTarget {
  return {
    name: `emulator ${endpoint}: ${protocol}`,
    covers: [],
    endpoint,
    protocol,
    start: async () => {
      const emulator = await startEmulator({ adminPort: 0, retryAfterSeconds: 0 });
      const url = urlOf(emulator, endpoint);
      await sessions.enroll(emulator);
      await sessions.recordRegistration(emulator, emulator.endpoints.mqtt, 'mqtt');
      const recordings = await record(emulator);
      const open = (): Promise<Duplex> => openConnection(url, emulator.caPem);
      const wrap =
        protocol === 'amqp-ws' || protocol === 'mqtt-ws'
          ? (session: RecordedSession) => overWebSocket(nameFor(subProtocols[protocol], session), session)
          : undefined;
      const reset = (): void => emulator.faults.clear();
      return {
        property: sessionProperty({
          open,
          sessions: recordings,
          reset,
          ...(wrap === undefined ? {} : { wrap }),
        }),
        serveOne: async () => {
          const [session = []] = await record(emulator);
          const answer = await converse(await open(), wrap === undefined ? session : wrap(session));
          if (answer === '' || /^HTTP\/1\.1 [45]/.test(answer))
            throw new Error(`a good client hears ${answer}`);
        },
        [Symbol.asyncDispose]: () => emulator.stop(),
      };
    },
  };
}

/** Each name has its turn; the same session always has the same. */
function nameFor(names: readonly string[], session: RecordedSession): string {
  return names[session.length % names.length] ?? '';
}

/** Where an endpoint is. */
export function urlOf(emulator: Emulator, endpoint: EmulatorListenerTarget['endpoint']): string {
  return endpoint === 'admin' ? (emulator.admin?.url ?? '') : emulator.endpoints[endpoint];
}

const provisioningAmqp = async (emulator: Emulator): Promise<readonly RecordedSession[]> => [
  (await sessions.recordRegistration(emulator, emulator.endpoints.amqp, 'amqp')).client,
];
const provisioningMqtt = async (emulator: Emulator): Promise<readonly RecordedSession[]> => [
  (await sessions.recordRegistration(emulator, emulator.endpoints.mqtt, 'mqtt')).client,
];
const hubAmqp = async (emulator: Emulator): Promise<readonly RecordedSession[]> => [
  (await sessions.recordHubOverAmqp(emulator)).client,
];
const hubMqtt = async (emulator: Emulator): Promise<readonly RecordedSession[]> => [
  (await sessions.recordHubOverMqtt(emulator)).client,
];

/** Every target; the service API is on the same listener as the device API. */
export const emulatorListeners: readonly EmulatorListenerTarget[] = [
  target('http', 'http', sessions.httpSessions),
  target('http', 'amqp', provisioningAmqp),
  target('http', 'mqtt', provisioningMqtt),
  target('http', 'amqp-ws', provisioningAmqp),
  target('http', 'mqtt-ws', provisioningMqtt),
  target('hub', 'http', sessions.hubHttpSessions),
  target('hub', 'amqp', hubAmqp),
  target('hub', 'mqtt', hubMqtt),
  target('hub', 'amqp-ws', hubAmqp),
  target('hub', 'mqtt-ws', hubMqtt),
  target('amqp', 'amqp', provisioningAmqp),
  target('mqtt', 'mqtt', provisioningMqtt),
  target('admin', 'http', async ({ admin }) =>
    sessions.adminSessions(admin?.token.revealText() ?? '', new URL(admin?.url ?? '').host),
  ),
];
