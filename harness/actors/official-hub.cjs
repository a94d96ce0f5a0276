'use strict';
/**
 * The official Node SDK for devices, unmodified: talks to a hub over MQTT. Sends telemetry, reads its twin, reports,
 * waits for a desired property and for one direct method, prints what it saw as a JSON line, and goes.
 *
 * Environment: ENDORSE_CARRIER (`mqtt` or `mqtt-ws`), ENDORSE_HUB (with a port where the carrier has none of its own),
 * ENDORSE_DEVICE_ID, and ENDORSE_SYMMETRIC_KEY or ENDORSE_CERTIFICATE_FILE with ENDORSE_KEY_FILE.
 */
const { readFileSync } = require('node:fs');
const { Client, Message } = require('azure-iot-device');
const { Mqtt, MqttWs } = require('azure-iot-device-mqtt');

const { env } = process;

async function main() {
  const key = env.ENDORSE_SYMMETRIC_KEY;
  const credential = key === undefined ? 'x509=true' : `SharedAccessKey=${key}`;
  const connectionString = `HostName=${env.ENDORSE_HUB};DeviceId=${env.ENDORSE_DEVICE_ID};${credential}`;
  const client = Client.fromConnectionString(
    connectionString,
    env.ENDORSE_CARRIER === 'mqtt' ? Mqtt : MqttWs,
  );
  if (key === undefined) {
    await client.setOptions({
      cert: readFileSync(env.ENDORSE_CERTIFICATE_FILE, 'utf8'),
      key: readFileSync(env.ENDORSE_KEY_FILE, 'utf8'),
    });
  }
  await client.open();

  const message = new Message(JSON.stringify({ temperatureCelsius: 21.5 }));
  message.contentType = 'application/json';
  message.properties.add('level', 'high');
  await client.sendEvent(message);

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
  const seen = { method: await called, intervalSeconds: await desired };
  await client.close();
  console.log(JSON.stringify(seen));
}

main().then(
  () => process.exit(0),
  ({ name, message }) => {
    console.log(JSON.stringify({ error: name, message }));
    process.exit(1);
  },
);
