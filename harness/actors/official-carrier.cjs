'use strict';
/**
 * The official Node SDK, unmodified, over any carrier: registers for every line on standard input. Environment as in
 * `official-client.cjs`.
 */
const https = require('node:https');
const { createOfficialClient } = require('./official-client.cjs');

async function register() {
  // Equal terms: a connection and a TLS session of its own for each registration, as the others have.
  https.globalAgent = new https.Agent({ keepAlive: true, maxCachedSessions: 0 });
  try {
    // Over AMQP it takes a retry-after of 0 for none, and would wait two seconds.
    return await createOfficialClient({ pollingInterval: 0 }).register();
  } finally {
    https.globalAgent.destroy();
  }
}

import('./on-each-line.mjs')
  .then(({ registerOnEachLine }) => registerOnEachLine(register))
  .then(
    () => process.exit(0),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
