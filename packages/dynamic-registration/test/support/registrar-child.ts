/**
 * A registrar as a process of its own, over a database file. `DIE_BEFORE_REPLY=1` makes it kill itself, as a power loss
 * does, once a registration is committed and before a byte of the reply is out.
 */
import { createPublicKey } from 'node:crypto';
import { Secret } from '@endorse/interface';
import { createRegistrationHandler, startRegistrar } from '../../src/server/index.ts';
import { openSqlite, openStore } from '../../src/store/index.ts';
import { createAsymmetricTokenKey } from '../../src/tokens/index.ts';
import { ed25519, issuer, url } from './forge.ts';

const database = await openSqlite(process.env['DATABASE_FILE'] ?? '');
const store = await openStore({ database, peppers: { 1: Secret.fromBytes(new Uint8Array(32).fill(9)) } });
const handler = createRegistrationHandler({
  store,
  keys: [createAsymmetricTokenKey({ issuer, keyId: 'ed', key: createPublicKey(ed25519) })],
  audience: [url],
});
const registrar = await startRegistrar({
  allowPlainHttp: true,
  port: Number(process.env['PORT'] ?? 0),
  handler: async (request, context) => {
    const response = await handler(request, context);
    const isDone = response.headers.get('registration-outcome') !== null;
    if (isDone && process.env['DIE_BEFORE_REPLY'] === '1') process.kill(process.pid, 'SIGKILL');
    return response;
  },
});
process.stdout.write(`${registrar.origin}\n`);
