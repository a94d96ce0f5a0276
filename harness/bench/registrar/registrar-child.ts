/** A registrar over TLS as a process of its own; a line on its standard input asks for its memory after a collection. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { randomBytes } from 'node:crypto';
import {
  createRegistrationHandler,
  issueServerCertificate,
  startRegistrar,
} from '@endorse/dynamic-registration/server';
import { openSqlite, openStore } from '@endorse/dynamic-registration/store';
import { createSecretTokenKey } from '@endorse/dynamic-registration/tokens';
import { Secret } from '@endorse/interface';

const folder = mkdtempSync(join(tmpdir(), 'endorse-bench-registrar-'));
const certificate = await issueServerCertificate(folder, ['localhost'], Date.now());
rmSync(folder, { recursive: true, force: true });
const secret = Secret.fromBytes(randomBytes(32));
const store = await openStore({ database: await openSqlite(':memory:'), peppers: { 1: secret } });
const handler = createRegistrationHandler({
  store,
  keys: [createSecretTokenKey({ issuer: 'example.com', secret })],
  audience: ['bench'],
});
const registrar = await startRegistrar({ handler, certificate, drainMs: 0 });
process.stdout.write(`${registrar.port}\n`);
for await (const _line of createInterface({ input: process.stdin })) {
  globalThis.gc?.();
  process.stdout.write(`${process.memoryUsage().rss}\n`);
}
