'use strict';
/**
 * The official Node SDK for devices, unmodified: sends telemetry to a hub, twice; over MQTT it also reads its twin,
 * reports, and waits for a desired property and for one direct method. Prints what it saw as a JSON line, and goes.
 *
 * Environment: ENDORSE_CARRIER (`mqtt`, `mqtt-ws`, `amqp` or `amqp-ws`), ENDORSE_HUB (with a port where the carrier has
 * none of its own), ENDORSE_DEVICE_ID, and ENDORSE_SYMMETRIC_KEY or ENDORSE_CERTIFICATE_FILE with ENDORSE_KEY_FILE.
 */
const { readFileSync } = require('node:fs');
const { Client, Message } = require('azure-iot-device');
const { Amqp, AmqpWs } = require('azure-iot-device-amqp');
const { Mqtt, MqttWs } = require('azure-iot-device-mqtt');

const { env } = process;
const carriers = { mqtt: Mqtt, 'mqtt-ws': MqttWs, amqp: Amqp, 'amqp-ws': AmqpWs };

async function main() {
  const key = env.ENDORSE_SYMMETRIC_KEY;
  const credential = key === undefined ? 'x509=true' : `SharedAccessKey=${key}`;
  const connectionString = `HostName=${env.ENDORSE_HUB};DeviceId=${env.ENDORSE_DEVICE_ID};${credential}`;
  const client = Client.fromConnectionString(connectionString, carriers[env.ENDORSE_CARRIER]);
  if (key === undefined) {
    await client.setOptions({
      cert: readFileSync(env.ENDORSE_CERTIFICATE_FILE, 'utf8'),
      key: readFileSync(env.ENDORSE_KEY_FILE, 'utf8'),
    });
  }
  await client.open();
  for (const [index, level] of ['low', 'high'].entries()) {
    const message = new Message(JSON.stringify({ temperatureCelsius: 20 + index }));
    message.contentType = 'application/json';
    message.properties.add('level', level);
    await client.sendEvent(message);
  }
  const seen = env.ENDORSE_CARRIER.startsWith('mqtt') ? await talk(client) : {};
  await client.close();
  console.log(JSON.stringify({ sent: 2, ...seen }));
}

/** What goes both ways: a direct method, and the twin. */
async function talk(client) {
  const called = new Promise((resolve) => {
    client.onDeviceMethod('reboot', (request, response) => {
      response.send(200, { rebooting: true }, () => resolve(request.payload));
    });
  });
  const twin = await client.getTwin();
  const desired = new Promise((resolve) => {
    twin.on('properties.desired', ({ intervalSeconds }) => {
      if (intervalSeconds !== undefined) resolve(intervalSeconds);
    });
  });
  await new Promise((resolve, reject) => {
    twin.properties.reported.update({ battery: 55 }, (error) => (error ? reject(error) : resolve()));
  });
  return { method: await called, intervalSeconds: await desired };
}

main().then(
  () => process.exit(0),
  ({ name, message }) => {
    console.log(JSON.stringify({ error: name, message }));
    process.exit(1);
  },
);
