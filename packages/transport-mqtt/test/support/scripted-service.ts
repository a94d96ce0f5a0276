import type { TLSSocket } from 'node:tls';
import type { IConnectPacket, IPublishPacket, Packet } from 'mqtt-packet';
import { generate, parser as createParser } from 'mqtt-packet';
import type { TlsPeer } from '@endorse/testkit';
import { startTlsPeer } from '@endorse/testkit';

/** What a service does with a packet in the place of the right thing: sends packets or bytes, or nothing. */
export type Reaction<Kind extends Packet> = (
  packet: Kind,
  wire: { readonly send: (...packets: readonly (Packet | Uint8Array)[]) => void; readonly socket: TLSSocket },
) => void;

/** Where a service goes wrong; everything else it does right. */
export interface Script {
  readonly connect?: Reaction<IConnectPacket>;
  readonly subscribe?: Reaction<Packet & { readonly cmd: 'subscribe' }>;
  readonly publish?: Reaction<IPublishPacket>;
}

/** A service made by hand on `mqtt-packet`, and what it was sent. */
export interface ScriptedService extends TlsPeer {
  readonly packets: readonly Packet[];
}

/** An answer of the service, as a packet. */
export function answerTo(
  { topic }: Pick<IPublishPacket, 'topic'>,
  status = 202,
  body: unknown = { operationId: '5.0.op', status: 'assigning' },
  change: Partial<IPublishPacket> & { readonly suffix?: string } = {},
): Packet {
  const { suffix = '', ...rest } = change;
  const requestId = /\$rid=([^&]*)/.exec(topic)?.[1] ?? '';
  return {
    cmd: 'publish',
    topic: `$dps/registrations/res/${status}/?$rid=${requestId}${suffix}`,
    payload: typeof body === 'string' ? body : JSON.stringify(body),
    qos: 0,
    dup: false,
    retain: false,
    ...rest,
  };
}

/** Starts a service that does everything right but what the script says. */
export async function startService(
  script: Script = {},
  onSecure: (socket: TLSSocket) => void = () => undefined,
): Promise<ScriptedService> {
  const packets: Packet[] = [];
  const peer = await startTlsPeer((socket) => {
    onSecure(socket);
    const parser = createParser({ protocolVersion: 4 });
    const send = (...sent: readonly (Packet | Uint8Array)[]): void => {
      for (const each of sent) socket.write('cmd' in each ? generate(each) : each);
    };
    const wire = { send, socket };
    parser.on('packet', (packet: Packet) => {
      packets.push(packet);
      if (packet.cmd === 'connect') (script.connect ?? accept)(packet, wire);
      if (packet.cmd === 'subscribe') (script.subscribe ?? grant)(packet, wire);
      if (packet.cmd === 'publish') (script.publish ?? assign)(packet, wire);
    });
    socket.on('data', (chunk: Buffer) => parser.parse(chunk));
  });
  return Object.assign(peer, { packets });
}

const accept: Reaction<IConnectPacket> = (_packet, { send }) =>
  send({ cmd: 'connack', sessionPresent: false, returnCode: 0 });

const grant: Reaction<Packet & { readonly cmd: 'subscribe' }> = ({ messageId = 0 }, { send }) =>
  send({ cmd: 'suback', messageId, granted: [1] });

const assign: Reaction<IPublishPacket> = (packet, { send }) =>
  send({ cmd: 'puback', messageId: packet.messageId ?? 0 }, answerTo(packet));
