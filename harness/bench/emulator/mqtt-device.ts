import { connectAsync } from 'mqtt';

/** What a device needs to register over MQTT. */
export interface MqttRegistration {
  /** `host:port`. */
  readonly host: string;
  readonly ca: string;
  readonly idScope: string;
  readonly registrationId: string;
  /** SAS token. */
  readonly token: string;
}

/** Registers with bare mqtt.js: connect, subscribe, register, poll until it is assigned, disconnect. */
export async function registerOverMqtt(device: MqttRegistration): Promise<void> {
  const { host, ca, idScope, registrationId, token } = device;
  const client = await connectAsync(`mqtts://${host}`, {
    ca,
    clientId: registrationId,
    username: `${idScope}/registrations/${registrationId}/api-version=2019-03-31&ClientVersion=bench`,
    password: token,
    protocolVersion: 4,
    reconnectPeriod: 0,
  });
  try {
    await client.subscribeAsync('$dps/registrations/res/#', { qos: 1 });
    let requests = 0;
    const ask = async (topic: string): Promise<Readonly<Record<string, unknown>>> => {
      const answered = new Promise<string>((resolve, reject) => {
        client.once('message', (_topic, payload) => resolve(payload.toString()));
        client.once('close', () => reject(new Error('the connection was closed')));
      });
      await client.publishAsync(topic.replace('RID', String((requests += 1))), '{}', { qos: 1 });
      return JSON.parse(await answered) as Readonly<Record<string, unknown>>;
    };
    let answer = await ask('$dps/registrations/PUT/iotdps-register/?$rid=RID');
    const operationId = String(answer['operationId']);
    while (answer['status'] === 'assigning') {
      answer = await ask(
        `$dps/registrations/GET/iotdps-get-operationstatus/?$rid=RID&operationId=${operationId}`,
      );
    }
    if (answer['status'] !== 'assigned') throw new Error(`not assigned: ${JSON.stringify(answer)}`);
  } finally {
    await client.endAsync();
  }
}
