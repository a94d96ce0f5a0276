/**
 * Our client over any carrier, with a symmetric key: registers for every line on standard input.
 *
 * Environment: ENDORSE_HOST, ENDORSE_ID_SCOPE, ENDORSE_CARRIER, ENDORSE_REGISTRATION_ID, ENDORSE_SYMMETRIC_KEY,
 * ENDORSE_CA_FILE.
 */
import { readFileSync } from 'node:fs';
import { Secret } from '@endorse/interface';
import { register } from '@endorse/registration-core';
import { createSymmetricKeySecurityClient } from '@endorse/security-symmetric-key';
import { registerOnEachLine } from './on-each-line.mjs';

const { ENDORSE_HOST, ENDORSE_ID_SCOPE, ENDORSE_CARRIER, ENDORSE_REGISTRATION_ID, ENDORSE_SYMMETRIC_KEY } =
  process.env;
const ca = readFileSync(process.env.ENDORSE_CA_FILE, 'utf8');
const transports = {
  http: async () => (await import('@endorse/transport-http')).createHttpTransport({ ca }),
  amqp: async () => (await import('@endorse/transport-amqp')).createAmqpTransport({ ca }),
  'amqp-ws': async () =>
    (await import('@endorse/transport-amqp')).createAmqpTransport({ ca, webSocket: true }),
  mqtt: async () => (await import('@endorse/transport-mqtt')).createMqttTransport({ ca }),
  'mqtt-ws': async () =>
    (await import('@endorse/transport-mqtt')).createMqttTransport({ ca, webSocket: true }),
};
const transport = await transports[ENDORSE_CARRIER]();
const securityClient = createSymmetricKeySecurityClient({
  registrationId: ENDORSE_REGISTRATION_ID,
  key: Secret.fromBytes(Buffer.from(ENDORSE_SYMMETRIC_KEY, 'base64')),
});

await registerOnEachLine(() =>
  register({
    provisioningHost: ENDORSE_HOST,
    idScope: ENDORSE_ID_SCOPE,
    transport,
    securityClient,
    deadlineMs: 30_000,
  }),
);
