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

const transports = {
  http: () => new (require('azure-iot-provisioning-device-http').Http)(),
  amqp: () => new (require('azure-iot-provisioning-device-amqp').Amqp)(),
  'amqp-ws': () => new (require('azure-iot-provisioning-device-amqp').AmqpWs)(),
  mqtt: () => new (require('azure-iot-provisioning-device-mqtt').Mqtt)(),
  'mqtt-ws': () => new (require('azure-iot-provisioning-device-mqtt').MqttWs)(),
};

const securityClients = {
  tpm: (environment) => {
    const { TpmSecurityClient } = require('azure-iot-security-tpm');
    const { Tpm } = require('tss.js');
    const { SwtpmDevice } = require('./swtpm-device.cjs');
    const tpm = new Tpm(true);
    tpm.device = new SwtpmDevice(environment.ENDORSE_TPM);
    const securityClient = new TpmSecurityClient(environment.ENDORSE_REGISTRATION_ID, tpm);
    return { securityClient, close: () => tpm.device.close() };
  },
  'symmetric-key': (environment) => {
    const { SymmetricKeySecurityClient } = require('azure-iot-security-symmetric-key');
    const securityClient = new SymmetricKeySecurityClient(
      environment.ENDORSE_REGISTRATION_ID,
      environment.ENDORSE_SYMMETRIC_KEY,
    );
    return { securityClient, close: () => {} };
  },
  x509: (environment) => {
    const { X509Security } = require('azure-iot-security-x509');
    const securityClient = new X509Security(environment.ENDORSE_REGISTRATION_ID, {
      cert: readFileSync(environment.ENDORSE_CERTIFICATE_FILE, 'utf8'),
      key: readFileSync(environment.ENDORSE_KEY_FILE, 'utf8'),
    });
    return { securityClient, close: () => {} };
  },
};

/** Makes a transport of the given carrier; `options` are those of the official transport. */
function createOfficialTransport(carrier, options) {
  const transport = transports[carrier]();
  if (options !== undefined) transport.setTransportOptions(options);
  return transport;
}

/** Makes a security client from what the environment says of the device, and what lets go of its TPM. */
function createOfficialSecurityClient(attestation, environment) {
  return securityClients[attestation](environment);
}

/** Makes a client that registers once; `transportOptions` are those of the official transport. */
function createOfficialClient(transportOptions) {
  const { ENDORSE_HOST, ENDORSE_ID_SCOPE, ENDORSE_CARRIER, ENDORSE_ATTESTATION } = process.env;
  const transport = createOfficialTransport(ENDORSE_CARRIER, transportOptions);
  const { securityClient } = createOfficialSecurityClient(ENDORSE_ATTESTATION, process.env);
  return ProvisioningDeviceClient.create(ENDORSE_HOST, ENDORSE_ID_SCOPE, transport, securityClient);
}

module.exports = { createOfficialClient, createOfficialSecurityClient, createOfficialTransport };
