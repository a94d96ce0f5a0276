/**
 * The floor: undici alone, sending the three requests of a TPM registration with nothing around them.
 * One connection a registration. What the TPM takes is reported apart.
 *
 * Environment: ENDORSE_HOST, ENDORSE_ID_SCOPE, ENDORSE_TPM, ENDORSE_CA_FILE, ENDORSE_ROUNDS (default 1).
 */
import { readFileSync } from 'node:fs';
import { Client } from 'undici';
import { createTimedSecurityClient } from './stopwatch.mjs';

const { ENDORSE_HOST, ENDORSE_ID_SCOPE, ENDORSE_TPM, ENDORSE_CA_FILE, ENDORSE_ROUNDS } = process.env;
const ca = readFileSync(ENDORSE_CA_FILE, 'utf8');
const tpm = await createTimedSecurityClient({ tpm: ENDORSE_TPM });
const registrationId = await tpm.getRegistrationId();
const body = JSON.stringify({
  registrationId,
  tpm: {
    endorsementKey: Buffer.from(await tpm.getEndorsementKey()).toString('base64'),
    storageRootKey: Buffer.from(await tpm.getStorageRootKey()).toString('base64'),
  },
});
const path = `/${ENDORSE_ID_SCOPE}/registrations/${registrationId}`;
const version = 'api-version=2019-03-31';
const headers = { accept: 'application/json', 'content-type': 'application/json; charset=utf-8' };

for (let round = 0; round < Number(ENDORSE_ROUNDS ?? '1'); round += 1) {
  tpm.takeTimes();
  const startedAt = performance.now();
  const client = new Client(`https://${ENDORSE_HOST}`, { connect: { ca } });
  const challenge = await send(client, 'PUT', `${path}/register?${version}`, 401);
  await tpm.activateIdentityKey(Buffer.from(challenge.authenticationKey, 'base64'));
  const token = await signToken();
  const accepted = await send(client, 'PUT', `${path}/register?${version}`, 202, token);
  const assigned = await send(
    client,
    'GET',
    `${path}/operations/${accepted.operationId}?${version}`,
    200,
    token,
  );
  const { assignedHub, deviceId, status, tpm: hubKey } = assigned.registrationState;
  await tpm.activateIdentityKey(Buffer.from(hubKey.authenticationKey, 'base64'));
  await client.close();
  const wallMs = performance.now() - startedAt;
  console.log(JSON.stringify({ assignedHub, deviceId, status, wallMs, ...tpm.takeTimes() }));
}
await tpm.close();
console.error(JSON.stringify({ maxRssKiB: process.resourceUsage().maxRSS }));

async function send(client, method, target, expected, authorization) {
  const reply = await client.request({
    method,
    path: target,
    headers: authorization === undefined ? headers : { ...headers, authorization },
    ...(method === 'PUT' ? { body } : {}),
  });
  const json = await reply.body.json();
  if (reply.statusCode !== expected)
    throw new Error(`${target}: ${reply.statusCode} ${JSON.stringify(json)}`);
  return json;
}

async function signToken() {
  const resource = encodeURIComponent(`${ENDORSE_ID_SCOPE}/registrations/${registrationId}`);
  const expiry = Math.ceil(Date.now() / 1000) + 3600;
  const signature = await tpm.signWithIdentity(Buffer.from(`${resource}\n${expiry}`));
  const encoded = encodeURIComponent(Buffer.from(signature).toString('base64'));
  return `SharedAccessSignature sr=${resource}&sig=${encoded}&se=${expiry}&skn=registration`;
}
