'use strict';
/**
 * The official Node SDK, unmodified: registers a device over any carrier with any attestation, as the environment says
 * (`official-client.cjs`). Prints one JSON line.
 */
const { createOfficialClient } = require('./official-client.cjs');

async function main() {
  const result = await createOfficialClient().register();
  // The result of a TPM registration holds the state, that of the others is the state.
  const { assignedHub, deviceId, status } = result.registrationState ?? result;
  console.log(JSON.stringify({ assignedHub, deviceId, status }));
}

main().then(
  () => process.exit(0),
  // Rejected dispositions reach the caller as objects of rhea that are no errors.
  (error) => {
    const { name, message, condition } = error;
    console.log(JSON.stringify({ error: name, message, condition }));
    process.exit(1);
  },
);
