/**
 * Every mixture of our parts and those of the official SDK, unmodified, over one carrier: our `register()` and their
 * `ProvisioningDeviceClient`, each with transport and security client of either side (and at least one that is foreign
 * to it), for every attestation. Prints one JSON line a registration.
 *
 * Environment: ENDORSE_CARRIER, ENDORSE_OUR_HOST and ENDORSE_HOST (what our transports and theirs are told), ENDORSE_ID_SCOPE, NODE_EXTRA_CA_CERTS, and ENDORSE_DEVICES: JSON, for each attestation the environment of
 * `official-client.cjs`.
 */
import { readFileSync } from 'node:fs';
import {
  fromAzureSymmetricKeySecurityClient,
  fromAzureTpmSecurityClient,
  fromAzureTransport,
  fromAzureX509SecurityClient,
  toAzureSymmetricKeySecurityClient,
  toAzureTpmSecurityClient,
  toAzureTransport,
  toAzureX509SecurityClient,
} from '@endorse/azure-compat';
import { Secret } from '@endorse/interface';
import { register } from '@endorse/registration-core';
import { createSymmetricKeySecurityClient } from '@endorse/security-symmetric-key';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import { loadX509SecurityClient } from '@endorse/security-x509';
import { createAmqpTransport } from '@endorse/transport-amqp';
import { createHttpTransport } from '@endorse/transport-http';
import { createMqttTransport } from '@endorse/transport-mqtt';
import azureDevice from 'azure-iot-provisioning-device';
import official from './official-client.cjs';

const { ENDORSE_CARRIER: carrier, ENDORSE_ID_SCOPE: idScope } = process.env;
const hosts = { ours: process.env.ENDORSE_OUR_HOST, theirs: process.env.ENDORSE_HOST };
const devices = JSON.parse(process.env.ENDORSE_DEVICES);
const ca = readFileSync(process.env.NODE_EXTRA_CA_CERTS, 'utf8');

const createTransport = {
  http: () => createHttpTransport({ ca }),
  amqp: () => createAmqpTransport({ ca }),
  'amqp-ws': () => createAmqpTransport({ ca, webSocket: true }),
  mqtt: () => createMqttTransport({ ca }),
  'mqtt-ws': () => createMqttTransport({ ca, webSocket: true }),
}[carrier];
// Over AMQP their transport takes a retry-after of 0 for none, and would wait two seconds.
const createOfficialTransport = () => official.createOfficialTransport(carrier, { pollingInterval: 0 });

const open = {
  tpm: ({ ENDORSE_TPM: tpm, ENDORSE_REGISTRATION_ID: registrationId }) =>
    createTpmSecurityClient({ tpm, registrationId }),
  'symmetric-key': ({ ENDORSE_REGISTRATION_ID: registrationId, ENDORSE_SYMMETRIC_KEY: key }) =>
    createSymmetricKeySecurityClient({ registrationId, key: Secret.fromBase64(key) }),
  x509: ({ ENDORSE_CERTIFICATE_FILE: certificateFile, ENDORSE_KEY_FILE: privateKeyFile }) =>
    loadX509SecurityClient({ certificateFile, privateKeyFile }),
};
const fromAzure = {
  tpm: fromAzureTpmSecurityClient,
  'symmetric-key': fromAzureSymmetricKeySecurityClient,
  x509: fromAzureX509SecurityClient,
};
const toAzure = {
  tpm: toAzureTpmSecurityClient,
  'symmetric-key': toAzureSymmetricKeySecurityClient,
  x509: toAzureX509SecurityClient,
};

/** Opens the identity of one side and hands it to `use`, which is over when the next may have the TPM. */
async function withIdentity(side, attestation, use) {
  if (side === 'ours') {
    const securityClient = await open[attestation](devices[attestation]);
    return Promise.resolve(use(securityClient)).finally(() => securityClient.close());
  }
  const { securityClient, close } = official.createOfficialSecurityClient(attestation, devices[attestation]);
  return Promise.resolve(use(securityClient)).finally(close);
}

const clients = {
  ours: async (attestation, { transport, identity }, securityClient) => {
    const { status, deviceId, assignedHub } = await register({
      provisioningHost: hosts[transport],
      idScope,
      transport: transport === 'ours' ? createTransport() : fromAzureTransport(createOfficialTransport),
      securityClient: identity === 'ours' ? securityClient : fromAzure[attestation](securityClient),
      deadlineMs: 10_000,
    });
    return { status, deviceId, assignedHub };
  },
  theirs: async (attestation, { transport, identity }, securityClient) => {
    const result = await azureDevice.ProvisioningDeviceClient.create(
      hosts[transport],
      idScope,
      transport === 'ours' ? toAzureTransport(createTransport()) : createOfficialTransport(),
      identity === 'ours' ? await toAzure[attestation](securityClient) : securityClient,
    ).register();
    // The result of a TPM registration holds the state, that of the others is the state.
    const { status, deviceId, assignedHub } = result.registrationState ?? result;
    return { status, deviceId, assignedHub };
  },
};

const mixtures = [
  { client: 'ours', transport: 'theirs', identity: 'theirs' },
  { client: 'ours', transport: 'theirs', identity: 'ours' },
  { client: 'ours', transport: 'ours', identity: 'theirs' },
  { client: 'theirs', transport: 'ours', identity: 'ours' },
  { client: 'theirs', transport: 'ours', identity: 'theirs' },
  { client: 'theirs', transport: 'theirs', identity: 'ours' },
];

for (const attestation of Object.keys(devices)) {
  for (const mixture of mixtures) {
    const outcome = await withIdentity(mixture.identity, attestation, (securityClient) =>
      clients[mixture.client](attestation, mixture, securityClient),
    ).catch(({ name, code, message }) => ({ name, code, message }));
    console.log(JSON.stringify({ attestation, ...mixture, ...outcome }));
  }
}
// Sockets that official parts keep open would keep the process.
process.exit(0);
