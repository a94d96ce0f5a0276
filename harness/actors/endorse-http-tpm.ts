/**
 * Our client: registers a TPM device over HTTP. Prints one JSON line a registration.
 *
 * Environment: ENDORSE_HOST, ENDORSE_ID_SCOPE, ENDORSE_TPM, ENDORSE_CA_FILE, ENDORSE_ROUNDS (default 1),
 * ENDORSE_SESSIONS (`protected`, the default, or `none`).
 */
import { readFileSync } from 'node:fs';
import { register } from '@endorse/registration-core';
import { createTpmSecurityClient } from '@endorse/security-tpm';
import { createHttpTransport } from '@endorse/transport-http';
import { timeSecurityClient } from './timed-security-client.ts';

const environment = process.env;
const transport = createHttpTransport({ ca: readFileSync(environment['ENDORSE_CA_FILE'] ?? '', 'utf8') });
const client = await createTpmSecurityClient({
  tpm: environment['ENDORSE_TPM'] ?? '',
  sessions: environment['ENDORSE_SESSIONS'] === 'none' ? 'none' : 'protected',
});
const securityClient = timeSecurityClient(client);

for (let round = 0; round < Number(environment['ENDORSE_ROUNDS'] ?? '1'); round += 1) {
  const startedAt = performance.now();
  const { assignedHub, deviceId, status } = await register({
    provisioningHost: environment['ENDORSE_HOST'] ?? '',
    idScope: environment['ENDORSE_ID_SCOPE'] ?? '',
    transport,
    securityClient,
    deadlineMs: 30_000,
  });
  const wallMs = performance.now() - startedAt;
  console.log(JSON.stringify({ assignedHub, deviceId, status, wallMs, tpmMs: securityClient.takeTpmMs() }));
}
await client.close();
