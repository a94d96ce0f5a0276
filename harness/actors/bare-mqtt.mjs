/**
 * The floor over MQTT: mqtt.js alone, doing the exchange of a symmetric-key registration with nothing around it, on one
 * connection a registration. Registers for every line on standard input. Environment as in `endorse-carrier.mjs`.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import mqtt from 'mqtt';
import { registerOnEachLine } from './on-each-line.mjs';
import { createToken } from './symmetric-key-token.mjs';

const { ENDORSE_HOST, ENDORSE_ID_SCOPE, ENDORSE_REGISTRATION_ID } = process.env;
const { hostname, port } = new URL(`mqtts://${ENDORSE_HOST}`);
const ca = readFileSync(process.env.ENDORSE_CA_FILE, 'utf8');
const body = JSON.stringify({ registrationId: ENDORSE_REGISTRATION_ID });

await registerOnEachLine(
  () =>
    new Promise((resolve, reject) => {
      const client = mqtt.connect({
        protocol: 'mqtts',
        host: hostname,
        port: Number(port),
        ca,
        clientId: ENDORSE_REGISTRATION_ID,
        username: `${ENDORSE_ID_SCOPE}/registrations/${ENDORSE_REGISTRATION_ID}/api-version=2019-03-31`,
        password: createToken(),
        protocolVersion: 4,
        clean: true,
        reconnectPeriod: 0,
      });
      let state;
      const publish = (topic, payload) => client.publish(topic, payload, { qos: 1 });
      client.once('connect', () =>
        client.subscribe('$dps/registrations/res/#', { qos: 1 }, (error) => {
          if (error) reject(error);
          else publish(`$dps/registrations/PUT/iotdps-register/?$rid=${randomUUID()}`, body);
        }),
      );
      client.on('message', (_topic, payload) => {
        const { operationId, status, registrationState } = JSON.parse(payload.toString());
        if (status === 'assigned') {
          state = registrationState;
          client.end();
        } else {
          const query = `?$rid=${randomUUID()}&operationId=${encodeURIComponent(operationId)}`;
          publish(`$dps/registrations/GET/iotdps-get-operationstatus/${query}`, ' ');
        }
      });
      client.on('error', reject);
      client.on('close', () => {
        if (state === undefined) reject(new Error('the connection was closed early'));
        else resolve(state);
      });
    }),
);
