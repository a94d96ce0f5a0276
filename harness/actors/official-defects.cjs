'use strict';
/**
 * The official Node SDK, unmodified, in a situation it does not master: registers as the environment says
 * (`official-client.cjs`) and prints a JSON line for each thing that happens, so that a reader can tell a promise that
 * is pending from one that is pending for good: `drained` is printed when the event loop has nothing left to wait for.
 *
 * Environment beside that of the client: ENDORSE_REGISTRATIONS (how many, one after the other, with one client),
 * ENDORSE_TRANSPORT_OPTIONS (JSON), ENDORSE_CANCEL (`never`, `at-once`, or `between-polls`: once the pause between them
 * has begun, which `hasten-timers.cjs` tells).
 */
const { createOfficialClient } = require('./official-client.cjs');

const {
  ENDORSE_REGISTRATIONS: registrations,
  ENDORSE_TRANSPORT_OPTIONS: transportOptions,
  ENDORSE_CANCEL: cancelWhen,
} = process.env;

function print(line) {
  console.log(JSON.stringify(line));
}

function describe(error) {
  // What was rejected on the wire reaches the caller as an object of rhea that is no error.
  const { name, message, code, syscall, condition } = error;
  return { name, message, code, syscall, condition };
}

function cancel(client) {
  client.cancel().then(
    () => print({ event: 'cancelled' }),
    (error) => print({ event: 'not-cancelled', error: describe(error) }),
  );
}

async function main() {
  const client = createOfficialClient(JSON.parse(transportOptions));
  if (cancelWhen === 'between-polls') {
    process.once('hastened-timer', () => setImmediate(cancel, client));
  }
  for (let round = 0; round < Number(registrations); round += 1) {
    const registering = client.register();
    if (cancelWhen === 'at-once') cancel(client);
    const result = await registering;
    const { status, deviceId } = result.registrationState ?? result;
    print({ event: 'registered', status, deviceId, members: Object.keys(result) });
  }
}

process.once('beforeExit', () => print({ event: 'drained' }));
main().then(
  () => process.exit(0),
  (error) => {
    print({ event: 'rejected', error: describe(error) });
    process.exit(0);
  },
);
