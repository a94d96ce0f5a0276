/**
 * A registrar as a process of its own, on PostgreSQL: what `startRegistrarProcesses` starts several of. It prints its
 * origin. `DIE_AFTER` is a number of registrations after which it kills itself, between commit and reply.
 */
import { createPublicKey } from 'node:crypto';
import { Secret } from '@endorse/interface';
import { createRegistrationHandler, startRegistrar } from '@endorse/dynamic-registration/server';
import { openPostgresql, openStore } from '@endorse/dynamic-registration/store';
import { createAsymmetricTokenKey } from '@endorse/dynamic-registration/tokens';

const read = (name: string): string => process.env[name] ?? '';
const database = await openPostgresql({ url: Secret.fromText(read('DATABASE_URL')), retryForMs: 60_000 });
const store = await openStore({ database, peppers: { 1: Secret.fromBase64(read('PEPPER')) } });
const handler = createRegistrationHandler({
  store,
  keys: [
    createAsymmetricTokenKey({ issuer: 'example.com', keyId: 'k', key: createPublicKey(read('TOKEN_KEY')) }),
  ],
  audience: [read('AUDIENCE')],
  // One machine plays a whole fleet.
  rateLimits: false,
});
let left = Number(process.env['DIE_AFTER'] ?? Infinity);
const registrar = await startRegistrar({
  allowPlainHttp: true,
  port: Number(process.env['PORT'] ?? 0),
  handler: async (request, context) => {
    const response = await handler(request, context);
    if (response.headers.get('registration-outcome') !== null) left -= 1;
    if (left <= 0) process.kill(process.pid, 'SIGKILL');
    return response;
  },
});
process.stdout.write(`${registrar.origin}\n`);
process.once('SIGTERM', () => {
  void registrar.stop().then(() => store.close());
});
