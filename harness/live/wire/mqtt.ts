/** A registration's connection on mqtt.js alone. */
import { randomUUID } from 'node:crypto';
import type { IConnackPacket } from 'mqtt';
import mqtt from 'mqtt';
import type { ServiceUnderTest } from '../../support/service/service-under-test.ts';
import type { ProbeDevice } from '../device.ts';
import { deviceApiVersion, resourceOf } from '../device.ts';
import { ProbeFailure } from '../probe.ts';

/** A message of the service. */
export interface MqttAnswer {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
}

/** A connection that was accepted. */
export interface MqttConnection extends AsyncDisposable {
  readonly connack: IConnackPacket;
  /** What the service granted the response topic. */
  readonly grantedQos: number;
  /** Publishes to a topic with `?$rid=` in it and waits for what comes back; `rid` is made here. */
  request(topic: (rid: string) => string, payload: string): Promise<MqttAnswer & { readonly rid: string }>;
}

/** A connection that was not accepted: the return code of its CONNACK, or undefined when the service hung up. */
export interface MqttRefusal {
  readonly returnCode: number | undefined;
}

const timeoutMs = 30_000;

/** Connects and subscribes to the responses. */
export async function connectMqtt(
  service: ServiceUnderTest,
  device: ProbeDevice,
  password: string,
): Promise<MqttConnection | MqttRefusal> {
  const { hostname, port } = new URL(service.endpoints.mqtt);
  const client = mqtt.connect({
    protocol: 'mqtts',
    host: hostname,
    port: Number(port),
    servername: hostname,
    ca: service.caPem,
    clientId: device.registrationId,
    username: `${resourceOf(device)}/api-version=${deviceApiVersion}`,
    password,
    protocolVersion: 4,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: timeoutMs,
  });
  let returnCode: number | undefined;
  client.on('packetreceive', (packet) => {
    if (packet.cmd === 'connack') returnCode = packet.returnCode;
  });
  // A refusal is an error to the library, which closes the connection then.
  client.on('error', () => undefined);
  const connack = await new Promise<IConnackPacket | undefined>((resolve) => {
    client.once('connect', resolve).once('close', () => resolve(undefined));
  });
  if (connack === undefined) {
    await client.endAsync(true);
    return { returnCode };
  }
  const [granted] = await client.subscribeAsync('$dps/registrations/res/#', { qos: 1 });
  return {
    connack,
    grantedQos: granted?.qos ?? 128,
    request: async (topic, payload) => {
      const rid = randomUUID();
      const answered = new Promise<MqttAnswer>((resolve, reject) => {
        const timer = setTimeout(() => reject(new ProbeFailure('no MQTT answer in time')), timeoutMs);
        client.once('message', (received, body, { qos }) => {
          clearTimeout(timer);
          resolve({ topic: received, payload: body.toString('utf8'), qos });
        });
      });
      const [answer] = await Promise.all([answered, client.publishAsync(topic(rid), payload, { qos: 1 })]);
      return { ...answer, rid };
    },
    [Symbol.asyncDispose]: async () => client.endAsync(true),
  };
}
