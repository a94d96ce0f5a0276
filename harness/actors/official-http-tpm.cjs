'use strict';
/**
 * The official Node SDK, unmodified: registers a TPM device over HTTP.
 *
 * Environment: ENDORSE_HOST, ENDORSE_ID_SCOPE, ENDORSE_TPM, ENDORSE_ROUNDS (default 1), ENDORSE_REGISTRATION_ID (default
 * derived from the endorsement key).
 * Prints one JSON line a registration: the outcome, the wall time and the time
 * inside the TPM device.
 */
const https = require('node:https');
const { ProvisioningDeviceClient } = require('azure-iot-provisioning-device');
const { Http } = require('azure-iot-provisioning-device-http');
const { TpmSecurityClient } = require('azure-iot-security-tpm');
const { Tpm } = require('tss.js');
const { SwtpmDevice } = require('./swtpm-device.cjs');

const {
  ENDORSE_HOST,
  ENDORSE_ID_SCOPE,
  ENDORSE_REGISTRATION_ID,
  ENDORSE_TPM,
  ENDORSE_ROUNDS = '1',
} = process.env;

const tpmCalls = [
  'getRegistrationId',
  'getEndorsementKey',
  'getStorageRootKey',
  'activateIdentityKey',
  'signWithIdentity',
];

let deviceNanoseconds = 0n;
let tpmNanoseconds = 0n;

/** Measures what the security client takes, TPM and its own work together, call by call. */
function timedSecurityClient(security) {
  for (const name of tpmCalls) {
    const call = security[name].bind(security);
    security[name] = (...args) => {
      const callback = args.pop();
      const startedAt = process.hrtime.bigint();
      call(...args, (...results) => {
        tpmNanoseconds += process.hrtime.bigint() - startedAt;
        callback(...results);
      });
    };
  }
  return security;
}

function timedTpm() {
  const tpm = new Tpm(true);
  const device = new SwtpmDevice(ENDORSE_TPM);
  const dispatch = device.dispatchCommand.bind(device);
  device.dispatchCommand = (command, callback) => {
    const startedAt = process.hrtime.bigint();
    dispatch(command, (error, response) => {
      deviceNanoseconds += process.hrtime.bigint() - startedAt;
      callback(error, response);
    });
  };
  tpm.device = device;
  return tpm;
}

async function main() {
  const security = timedSecurityClient(new TpmSecurityClient(ENDORSE_REGISTRATION_ID, timedTpm()));
  for (let round = 0; round < Number(ENDORSE_ROUNDS); round += 1) {
    // Equal terms: a connection and a TLS session of its own for each registration, as the others have.
    https.globalAgent.destroy();
    https.globalAgent = new https.Agent({ keepAlive: true, maxCachedSessions: 0 });
    // A fresh transport each time: the official one keeps its SAS token and would send it on the next challenge.
    const client = ProvisioningDeviceClient.create(ENDORSE_HOST, ENDORSE_ID_SCOPE, new Http(), security);
    deviceNanoseconds = 0n;
    tpmNanoseconds = 0n;
    const startedAt = process.hrtime.bigint();
    const result = await client.register();
    const wallMs = Number(process.hrtime.bigint() - startedAt) / 1e6;
    const { assignedHub, deviceId, status } = result.registrationState;
    const deviceMs = Number(deviceNanoseconds) / 1e6;
    const tpmMs = Number(tpmNanoseconds) / 1e6;
    console.log(JSON.stringify({ assignedHub, deviceId, status, wallMs, tpmMs, deviceMs }));
  }
}

main().then(
  () => {
    console.error(JSON.stringify({ maxRssKiB: process.resourceUsage().maxRSS }));
    process.exit(0);
  },
  (error) => {
    console.log(JSON.stringify({ error: error.name, message: error.message }));
    process.exit(1);
  },
);
