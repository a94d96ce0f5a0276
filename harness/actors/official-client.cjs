'use strict';
/**
 * Clients of the official Node SDK, unmodified, for any carrier with any attestation.
 *
 * Environment: ENDORSE_HOST (with a port where the carrier has none of its own), ENDORSE_ID_SCOPE, ENDORSE_CARRIER,
 * ENDORSE_ATTESTATION, and by attestation ENDORSE_TPM, ENDORSE_SYMMETRIC_KEY or ENDORSE_CERTIFICATE_FILE with
 * ENDORSE_KEY_FILE; ENDORSE_REGISTRATION_ID, which a TPM can do without.
 */
const { readFileSync } = require('node:fs');
const { ProvisioningDeviceClient } = require('azure-iot-provisioning-device');

const environment = process.env;

const transports = {
  http: () => new (require('azure-iot-provisioning-device-http').Http)(),
  amqp: () => new (require('azure-iot-provisioning-device-amqp').Amqp)(),
  'amqp-ws': () => new (require('azure-iot-provisioning-device-amqp').AmqpWs)(),
  mqtt: () => new (require('azure-iot-provisioning-device-mqtt').Mqtt)(),
  'mqtt-ws': () => new (require('azure-iot-provisioning-device-mqtt').MqttWs)(),
};

const securityClients = {
  tpm: () => {
    const { TpmSecurityClient } = require('azure-iot-security-tpm');
    const { Tpm } = require('tss.js');
    const { SwtpmDevice } = require('./swtpm-device.cjs');
    const tpm = new Tpm(true);
    tpm.device = new SwtpmDevice(environment.ENDORSE_TPM);
    return new TpmSecurityClient(environment.ENDORSE_REGISTRATION_ID, tpm);
  },
  'symmetric-key': () => {
    const { SymmetricKeySecurityClient } = require('azure-iot-security-symmetric-key');
    return new SymmetricKeySecurityClient(
      environment.ENDORSE_REGISTRATION_ID,
      environment.ENDORSE_SYMMETRIC_KEY,
    );
  },
  x509: () => {
    const { X509Security } = require('azure-iot-security-x509');
    return new X509Security(environment.ENDORSE_REGISTRATION_ID, {
      cert: readFileSync(environment.ENDORSE_CERTIFICATE_FILE, 'utf8'),
      key: readFileSync(environment.ENDORSE_KEY_FILE, 'utf8'),
    });
  },
};

/** Makes a client that registers once; `transportOptions` are those of the official transport. */
exports.createOfficialClient = function createOfficialClient(transportOptions) {
  const transport = transports[environment.ENDORSE_CARRIER]();
  if (transportOptions !== undefined) transport.setTransportOptions(transportOptions);
  const security = securityClients[environment.ENDORSE_ATTESTATION]();
  const { ENDORSE_HOST: host, ENDORSE_ID_SCOPE: idScope } = environment;
  return ProvisioningDeviceClient.create(host, idScope, transport, security);
};
