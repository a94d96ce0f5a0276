/* oxlint-disable no-console -- a program that a person watches */
// Firmware of a sample device. Every device runs this very file.
//
//   1. Put the registration token into TOKEN, and an example id into MANUFACTURER_ID.
//   2. npm install
//   3. node index.js
//
// At its first start it registers and keeps its credentials in credentials.json; from then on it uses those. A
// registrar with a CA of its own: NODE_EXTRA_CA_CERTS=ca.pem node index.js
import { fileURLToPath } from 'node:url';
import { ensureRegistered } from '@endorse/dynamic-registration/client';
import { Secret, isEndorseError } from '@endorse/interface';
import mqtt from 'mqtt';

const TOKEN = 'THE_REGISTRATION_TOKEN';
const MANUFACTURER_ID = 'UNIQUE_MANUFACTURER_ID';

// Used when neither the token nor the registrar's reply names a broker.
const DEFAULT_BROKER = 'mqtts://broker.losant.com';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort(new Error(signal)));

async function run() {
  const device = await ensureRegistered({
    token: Secret.fromText(TOKEN),
    manufacturerId: MANUFACTURER_ID,
    stateFile: fileURLToPath(new URL('credentials.json', import.meta.url)),
    signal: stop.signal,
    onProgress: ({ event, ...details }) => console.log(event, details),
  });
  console.log(`${device.source === 'stored' ? 'Known' : 'Registered'} as device ${device.deviceId}.`);

  const client = mqtt.connect(device.broker ?? DEFAULT_BROKER, {
    clientId: device.deviceId,
    username: device.accessKey,
    password: device.accessSecret.revealText(),
  });
  stop.signal.addEventListener('abort', () => client.end());

  client.on('connect', () => {
    console.log('Connected to the broker.');
    client.subscribe(`losant/${device.deviceId}/command`);
    client.publish(`losant/${device.deviceId}/state`, JSON.stringify({ data: { running: 1 } }));
  });
  client.on('message', (topic, payload) => console.log('Command:', payload.toString()));
  client.on('error', (error) => {
    // 4 and 5: the broker does not accept the credentials. Registering again would not help: the operator revoked
    // them, or has to release this device. Anything else passes, and the client tries again by itself.
    if (error.code !== 4 && error.code !== 5) return console.log('Broker:', error.message);
    console.error('The broker refuses the credentials; ask the operator about this device.');
    process.exitCode = 1;
    client.end();
  });
}

run().catch((error) => {
  if (stop.signal.aborted) return;
  console.error(isEndorseError(error) ? `${error.message} [${error.code}]` : error);
  if (error.remedy) console.error(error.remedy);
  process.exitCode = 1;
});
