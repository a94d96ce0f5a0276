/**
 * What undici alone costs a process: its client's file, sending three requests over one TLS connection.
 * No TPM, no registration; the service refuses all three, which costs a client the same.
 *
 * Environment: ENDORSE_HOST, ENDORSE_ID_SCOPE, ENDORSE_CA_FILE.
 */
import { readFileSync } from 'node:fs';
import Client from 'undici/lib/dispatcher/client.js';

const { ENDORSE_HOST, ENDORSE_ID_SCOPE, ENDORSE_CA_FILE } = process.env;
const client = new Client(`https://${ENDORSE_HOST}`, {
  connect: { ca: readFileSync(ENDORSE_CA_FILE, 'utf8') },
});
for (let request = 0; request < 3; request += 1) {
  await new Promise((resolve, reject) => {
    client.dispatch(
      {
        method: 'PUT',
        path: `/${ENDORSE_ID_SCOPE}/registrations/nobody/register?api-version=2019-03-31`,
        headers: { 'content-type': 'application/json; charset=utf-8' },
        body: '{"registrationId":"nobody"}',
      },
      {
        onRequestStart() {},
        onResponseStart() {},
        onResponseData() {},
        onResponseEnd: () => resolve(),
        onResponseError: (_controller, error) => reject(error),
      },
    );
  });
}
await client.close();
console.error(JSON.stringify({ maxRssKiB: process.resourceUsage().maxRSS }));
