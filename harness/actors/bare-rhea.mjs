/**
 * The floor over AMQP: rhea alone, doing the exchange of a symmetric-key registration with nothing around it, on one
 * connection a registration. Registers for every line on standard input. Environment as in `endorse-carrier.mjs`.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import rhea from 'rhea';
import { registerOnEachLine } from './on-each-line.mjs';
import { createToken } from './symmetric-key-token.mjs';

const { ENDORSE_HOST, ENDORSE_ID_SCOPE, ENDORSE_REGISTRATION_ID } = process.env;
const { hostname, port } = new URL(`amqps://${ENDORSE_HOST}`);
const ca = readFileSync(process.env.ENDORSE_CA_FILE, 'utf8');
const address = `${ENDORSE_ID_SCOPE}/registrations/${ENDORSE_REGISTRATION_ID}`;
const properties = { 'com.microsoft:api-version': '2019-03-31' };
const registration = rhea.message.data_section(
  Buffer.from(JSON.stringify({ registrationId: ENDORSE_REGISTRATION_ID })),
);

await registerOnEachLine(
  () =>
    new Promise((resolve, reject) => {
      const connection = rhea.create_container().connect({
        transport: 'tls',
        host: hostname,
        port: Number(port),
        hostname,
        servername: hostname,
        ca,
        username: address,
        password: createToken(),
        reconnect: false,
      });
      const receiver = connection.open_receiver({ source: { address }, properties });
      const sender = connection.open_sender({ target: { address }, properties });
      const send = (applicationProperties, body) =>
        sender.send({ application_properties: applicationProperties, correlation_id: randomUUID(), body });
      let state;
      sender.once('sendable', () => send({ 'iotdps-operation-type': 'iotdps-register' }, registration));
      receiver.on('message', ({ message }) => {
        const { operationId, status, registrationState } = JSON.parse(message.body.content.toString());
        if (status === 'assigned') {
          state = registrationState;
          connection.close();
        } else {
          const operation = { 'iotdps-operation-type': 'iotdps-get-operationstatus' };
          send({ ...operation, 'iotdps-operation-id': operationId }, '');
        }
      });
      connection.once('connection_close', () => resolve(state));
      for (const event of ['connection_error', 'disconnected', 'protocol_error', 'error', 'rejected']) {
        connection.on(event, (context) => reject(new Error(`${event}: ${context.error ?? context}`)));
      }
    }),
);
