import type { Duplex } from 'node:stream';
import { duplexPair } from 'node:stream';
import type { Packet } from 'mqtt-packet';
import { generate, parser as createParser } from 'mqtt-packet';
import type { ConnectionInfo } from '../../src/listener/stream-handler.ts';
import type { MqttBounds } from '../../src/mqtt/mqtt-connection.ts';
import { serveMqttConnection } from '../../src/mqtt/mqtt-connection.ts';
import type { MqttService } from '../../src/mqtt/mqtt-service.ts';

/** A client that sends the packets, or bytes, it is told to, and writes down what comes. */
export interface RawMqttClient {
  readonly stream: Duplex;
  readonly send: (packet: Packet | Uint8Array) => void;
  /** The next packet, or `closed`. */
  readonly next: () => Promise<Packet | 'closed'>;
}

/** Speaks MQTT on a stream with nothing but `mqtt-packet`. */
export function rawMqttClient(stream: Duplex): RawMqttClient {
  const received: (Packet | 'closed')[] = [];
  const waiting: ((packet: Packet | 'closed') => void)[] = [];
  const push = (packet: Packet | 'closed'): void => {
    const next = waiting.shift();
    if (next === undefined) received.push(packet);
    else next(packet);
  };
  const parser = createParser({ protocolVersion: 4 });
  parser.on('packet', push);
  stream.on('data', (chunk: Buffer) => parser.parse(chunk));
  stream.on('error', () => undefined);
  let closed = false;
  const onClosed = (): void => {
    if (!closed) push('closed');
    closed = true;
    stream.end();
  };
  stream.on('end', onClosed).on('close', onClosed);
  return {
    stream,
    send: (packet) => stream.write('cmd' in packet ? generate(packet) : packet),
    next: () => {
      const packet = received.shift();
      return packet === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(packet);
    },
  };
}

/** A client and a service on a link in memory. */
export function linkMqtt(
  service: MqttService,
  info: ConnectionInfo = {},
  bounds?: MqttBounds,
): RawMqttClient {
  const [near, far] = duplexPair();
  far.on('error', () => undefined);
  // As a socket's peer would notice.
  far.on('close', () => near.destroy());
  serveMqttConnection(far, info, service, bounds);
  return rawMqttClient(near);
}

/** A CONNECT packet. */
export function connectPacket(clientId: string, username: string, password: string): Packet {
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    keepalive: 60,
    clientId,
    username,
    ...(password === '' ? {} : { password: Buffer.from(password) }),
  };
}
