'use strict';
/**
 * The official Node SDK for devices, unmodified: sends telemetry to a hub over AMQP, twice,
 * prints one JSON line, and goes.
 *
 * Environment: ENDORSE_CARRIER (`amqp` or `amqp-ws`), ENDORSE_HUB (with a port where the carrier has none of its own),
 * ENDORSE_DEVICE_ID, and ENDORSE_SYMMETRIC_KEY or ENDORSE_CERTIFICATE_FILE with ENDORSE_KEY_FILE.
 */
const { readFileSync } = require('node:fs');
const { Client, Message } = require('azure-iot-device');
const { Amqp, AmqpWs } = require('azure-iot-device-amqp');

const { env } = process;

async function main() {
  const key = env.ENDORSE_SYMMETRIC_KEY;
  const credential = key === undefined ? 'x509=true' : `SharedAccessKey=${key}`;
  const connectionString = `HostName=${env.ENDORSE_HUB};DeviceId=${env.ENDORSE_DEVICE_ID};${credential}`;
  const client = Client.fromConnectionString(
    connectionString,
    env.ENDORSE_CARRIER === 'amqp' ? Amqp : AmqpWs,
  );
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
  await client.close();
  console.log(JSON.stringify({ sent: 2 }));
}

main().then(
  () => process.exit(0),
  ({ name, message }) => {
    console.log(JSON.stringify({ error: name, message }));
    process.exit(1);
  },
);
