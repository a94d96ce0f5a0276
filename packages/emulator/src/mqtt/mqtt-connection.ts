/**
 * MQTT 3.1.1 as the cloud services speak it: QoS 0 and 1, no persistent session, no retained messages. Packets in, an
 * {@link MqttService} asked, packets out. Knows nothing of what is carried.
 *
 * A client that breaks the protocol loses its connection (section 4.8), and so does one that does not say CONNECT in
 * time, falls silent for one and a half of its keep-alive, or does not read what it is sent.
 */
import type { Duplex } from 'node:stream';
import { createPacketGuard } from '@endorse/protocol';
import type { IConnectPacket, IPublishPacket, ISubscribePacket, Packet } from 'mqtt-packet';
import { generate, parser as createParser } from 'mqtt-packet';
import type { ConnectionInfo } from '../listener/stream-handler.ts';
import type { MqttLink, MqttMessage, MqttService, MqttSession } from './mqtt-service.ts';
import { Subscriptions } from './subscriptions.ts';

/** Bounds on one connection. */
export interface MqttBounds {
  /** From the first byte, or from connecting, to CONNECT. */
  readonly connectTimeoutMs: number;
  /** Largest packet taken in. */
  readonly maxPacketBytes: number;
  /** Messages at QoS 1 that the client has not acknowledged. */
  readonly maxInFlight: number;
  /** What may wait for a client that does not read. */
  readonly maxUnsentBytes: number;
}

/** A message of the hub has 256 KiB, and a topic with its properties 64 KiB at most. */
export const defaultMqttBounds: MqttBounds = Object.freeze({
  connectTimeoutMs: 10_000,
  maxPacketBytes: 327_680,
  maxInFlight: 128,
  maxUnsentBytes: 1_048_576,
});

/** Serves one connection until it closes. */
export function serveMqttConnection(
  stream: Duplex,
  info: ConnectionInfo,
  service: MqttService,
  bounds: MqttBounds = defaultMqttBounds,
): void {
  const guard = createPacketGuard(bounds.maxPacketBytes);
  const parser = createParser({ protocolVersion: 4 });
  const subscriptions = new Subscriptions(bounds.maxInFlight);
  let session: MqttSession | undefined;
  let ended = false;
  /** What a service publishes while it takes a message in, to go out after the acknowledgement. */
  let held: (() => void)[] | undefined;
  let idle = setTimeout(() => violate('CONNECT did not come in time'), bounds.connectTimeoutMs);

  const link: MqttLink = {
    publish: (filter, message) => {
      if (held === undefined) publish(filter, message);
      else held.push(() => publish(filter, message));
    },
    end,
    drop: () => void stream.destroy(),
  };
  parser.on('packet', (packet) => {
    if (!ended) handle(packet);
  });
  parser.on('error', (error: Error) => violate(error.message));
  stream.on('data', (chunk: Buffer) => {
    if (ended) return;
    idle.refresh();
    try {
      guard(chunk);
      parser.parse(chunk);
    } catch (error) {
      // The parser reads beyond the end of some malformed packets.
      violate(error instanceof Error ? error.message : String(error));
    }
  });
  stream.once('end', end);
  stream.once('close', () => {
    ended = true;
    clearTimeout(idle);
    const gone = session;
    session = undefined;
    gone?.close();
  });

  function handle(packet: Packet): void {
    if (packet.cmd === 'connect') {
      connect(packet);
      return;
    }
    if (session === undefined) {
      violate(`${packet.cmd} came before CONNECT`);
      return;
    }
    switch (packet.cmd) {
      case 'publish':
        receive(session, packet);
        return;
      case 'subscribe':
        subscribe(session, packet);
        return;
      case 'unsubscribe':
        for (const filter of packet.unsubscriptions) {
          if (subscriptions.remove(filter)) session.onSubscription?.(filter, false);
        }
        send({ cmd: 'unsuback', messageId: packet.messageId ?? 0, granted: [] });
        return;
      case 'puback':
        subscriptions.acknowledge(packet.messageId ?? 0);
        return;
      case 'pingreq':
        send({ cmd: 'pingresp' });
        return;
      case 'disconnect':
        end();
        return;
      default:
        violate(`a client does not send ${packet.cmd}`);
    }
  }

  function connect(packet: IConnectPacket): void {
    if (session !== undefined) {
      violate('CONNECT came twice');
      return;
    }
    if (packet.protocolVersion !== 4) {
      service.noteViolation(`MQTT ${packet.protocolVersion} is not served, 3.1.1 is`);
      // Version 5 has a code of its own for that, and another layout.
      const isFive = packet.protocolVersion === 5;
      send(
        { cmd: 'connack', sessionPresent: false, ...(isFive ? { reasonCode: 0x84 } : { returnCode: 1 }) },
        isFive,
      );
      end();
      return;
    }
    const { certificates } = info;
    const answer = service.connect(
      {
        clientId: packet.clientId,
        userName: packet.username,
        password: packet.password?.toString('utf8'),
        ...(certificates === undefined ? {} : { certificates }),
      },
      link,
    );
    if (answer.outcome === 'refused') {
      send({ cmd: 'connack', sessionPresent: false, returnCode: answer.returnCode });
      end();
      return;
    }
    session = answer.session;
    clearTimeout(idle);
    const keepAliveMs = (packet.keepalive ?? 0) * 1_500;
    // Without a keep-alive, the bound of the stream itself is the only one.
    if (keepAliveMs > 0) idle = setTimeout(() => violate('nothing came within the keep-alive'), keepAliveMs);
    send({ cmd: 'connack', sessionPresent: false, returnCode: 0 });
  }

  function receive(to: MqttSession, { topic, payload, qos, messageId = 0 }: IPublishPacket): void {
    if (qos === 2) {
      violate('QoS 2 is not served');
      return;
    }
    held = [];
    const taken = to.receive({ topic, payload: Buffer.from(payload) });
    const waiting = held;
    held = undefined;
    if (!taken) {
      end();
      return;
    }
    if (qos === 1) send({ cmd: 'puback', messageId });
    for (const sendNow of waiting) sendNow();
  }

  function subscribe(to: MqttSession, packet: ISubscribePacket): void {
    const granted = packet.subscriptions.map(({ topic, qos }) => {
      if (!to.filters.includes(topic)) return 0x80;
      const grantedQos = qos === 0 ? 0 : 1;
      subscriptions.add(topic, grantedQos);
      return grantedQos;
    });
    send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted });
    for (const { topic } of packet.subscriptions) {
      if (to.filters.includes(topic)) to.onSubscription?.(topic, true);
    }
  }

  function publish(filter: string, { topic, payload }: MqttMessage): void {
    const qos = subscriptions.qosOf(filter);
    if (qos === undefined || ended) return;
    const packet = {
      cmd: 'publish',
      topic,
      payload: Buffer.from(payload),
      dup: false,
      retain: false,
    } as const;
    if (qos === 0) {
      send({ ...packet, qos });
      return;
    }
    const messageId = subscriptions.nextMessageId();
    if (messageId === undefined) violate(`${bounds.maxInFlight} messages are not acknowledged`);
    else send({ ...packet, qos, messageId });
  }

  function send(packet: Packet, isFive = false): void {
    if (ended) return;
    stream.write(generate(packet, { protocolVersion: isFive ? 5 : 4 }));
    if (stream.writableLength > bounds.maxUnsentBytes) {
      service.noteViolation(`${bounds.maxUnsentBytes} bytes were not read`);
      stream.destroy();
    }
  }

  function violate(reason: string): void {
    if (ended) return;
    service.noteViolation(reason);
    end();
  }

  function end(): void {
    if (ended) return;
    ended = true;
    clearTimeout(idle);
    // A client that does not close its side has a moment to read what was said last.
    idle = setTimeout(() => stream.destroy(), closeTimeoutMs);
    stream.end(() => stream.destroy());
  }
}

const closeTimeoutMs = 1_000;
