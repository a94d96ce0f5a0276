/**
 * Our client: registers a TPM device over HTTP. Prints one JSON line a registration.
 *
 * Environment: ENDORSE_HOST, ENDORSE_ID_SCOPE, ENDORSE_TPM, ENDORSE_CA_FILE, ENDORSE_ROUNDS (default 1),
 * ENDORSE_SESSIONS (`protected`, the default, or `none`).
 */
import { readFileSync } from 'node:fs';
import { register } from '@endorse/registration-core';
import { createHttpTransport } from '@endorse/transport-http';
import { createTimedSecurityClient } from './stopwatch.mjs';

const { ENDORSE_HOST, ENDORSE_ID_SCOPE, ENDORSE_TPM, ENDORSE_CA_FILE, ENDORSE_ROUNDS, ENDORSE_SESSIONS } =
  process.env;
const transport = createHttpTransport({ ca: readFileSync(ENDORSE_CA_FILE, 'utf8') });
const securityClient = await createTimedSecurityClient({
  tpm: ENDORSE_TPM,
  sessions: ENDORSE_SESSIONS ?? 'protected',
});

for (let round = 0; round < Number(ENDORSE_ROUNDS ?? '1'); round += 1) {
  const startedAt = performance.now();
  const { assignedHub, deviceId, status } = await register({
    provisioningHost: ENDORSE_HOST,
    idScope: ENDORSE_ID_SCOPE,
    transport,
    securityClient,
    deadlineMs: 30_000,
  });
  const wallMs = performance.now() - startedAt;
  console.log(JSON.stringify({ assignedHub, deviceId, status, wallMs, ...securityClient.takeTimes() }));
}
await securityClient.close();
console.error(JSON.stringify({ maxRssKiB: process.resourceUsage().maxRSS }));
