/**
 * The floor: undici alone, sending the three requests of a TPM registration with nothing around them.
 * One connection a registration. What the TPM takes is reported apart.
 *
 * Environment: ENDORSE_HOST, ENDORSE_ID_SCOPE, ENDORSE_TPM, ENDORSE_CA_FILE, ENDORSE_ROUNDS (default 1).
 */
import { readFileSync } from 'node:fs';
import { Client } from 'undici';
import { createTpmSecurityClient } from '@endorse/security-tpm';

const environment = process.env;
const host = environment['ENDORSE_HOST'] ?? '';
const idScope = environment['ENDORSE_ID_SCOPE'] ?? '';
const ca = readFileSync(environment['ENDORSE_CA_FILE'] ?? '', 'utf8');
const rounds = Number(environment['ENDORSE_ROUNDS'] ?? '1');

const tpm = await createTpmSecurityClient({ tpm: environment['ENDORSE_TPM'] ?? '' });
const registrationId = await tpm.getRegistrationId();
const body = JSON.stringify({
  registrationId,
  tpm: {
    endorsementKey: Buffer.from(await tpm.getEndorsementKey()).toString('base64'),
    storageRootKey: Buffer.from(await tpm.getStorageRootKey()).toString('base64'),
  },
});
const path = `/${idScope}/registrations/${registrationId}`;
const headers = { accept: 'application/json', 'content-type': 'application/json; charset=utf-8' };

for (let round = 0; round < rounds; round += 1) {
  let tpmMs = 0;
  const startedAt = performance.now();
  const client = new Client(`https://${host}`, { connect: { ca } });
  const challenge = await send('PUT', `${path}/register?api-version=2019-03-31`, 401);
  const tpmStartedAt = performance.now();
  await tpm.activateIdentityKey(Buffer.from(String(challenge['authenticationKey']), 'base64'));
  const authorization = await signToken();
  tpmMs += performance.now() - tpmStartedAt;
  const accepted = await send('PUT', `${path}/register?api-version=2019-03-31`, 202, authorization);
  const operation = `${path}/operations/${String(accepted['operationId'])}?api-version=2019-03-31`;
  const assigned = await send('GET', operation, 200, authorization);
  const { assignedHub, deviceId, status } = assigned['registrationState'] as Record<string, string>;
  await client.close();
  const wallMs = performance.now() - startedAt;
  console.log(JSON.stringify({ assignedHub, deviceId, status, wallMs, tpmMs }));

  async function send(
    method: 'PUT' | 'GET',
    target: string,
    expected: number,
    token?: string,
  ): Promise<Record<string, unknown>> {
    const reply = await client.request({
      method,
      path: target,
      headers: token === undefined ? headers : { ...headers, authorization: token },
      ...(method === 'PUT' ? { body } : {}),
    });
    const json = (await reply.body.json()) as Record<string, unknown>;
    if (reply.statusCode !== expected) throw new Error(`${target}: ${reply.statusCode} ${JSON.stringify(json)}`);
    return json;
  }
}

await tpm.close();

async function signToken(): Promise<string> {
  const resource = encodeURIComponent(`${idScope}/registrations/${registrationId}`);
  const expiry = Math.ceil(Date.now() / 1000) + 3600;
  const signature = await tpm.signWithIdentity(Buffer.from(`${resource}\n${expiry}`));
  const encoded = encodeURIComponent(Buffer.from(signature).toString('base64'));
  return `SharedAccessSignature sr=${resource}&sig=${encoded}&se=${expiry}&skn=registration`;
}
