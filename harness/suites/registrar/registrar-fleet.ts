import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { MintTokenOptions } from '@endorse/dynamic-registration/tokens';
import { createAsymmetricTokenKey, mintToken } from '@endorse/dynamic-registration/tokens';
import type { RegistrationStore } from '@endorse/dynamic-registration/store';
import { openPostgresql, openStore } from '@endorse/dynamic-registration/store';
import { Secret } from '@endorse/interface';
import { systemRandom } from '@endorse/interface/node';
import { Pool } from 'undici';

const script = fileURLToPath(new URL('./registrar-process.ts', import.meta.url));
const audience = 'https://register.example.com/api/register-device';

/** One registrar process. */
export interface RegistrarProcess {
  readonly origin: string;
  readonly pid: number | undefined;
  readonly ended: Promise<unknown>;
}

/** What a device is answered. */
export interface RegistrationAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, string>>;
}

/** Registrars that share a database, and devices that use them. */
export interface RegistrarFleet extends AsyncDisposable {
  readonly processes: readonly RegistrarProcess[];
  /** A store of the test's own on the same database. */
  readonly store: RegistrationStore;
  /** Starts one more process. */
  start(env?: Readonly<Record<string, string>>): Promise<RegistrarProcess>;
  /** A token for these registrars. */
  mint(claims?: Partial<MintTokenOptions>): Promise<string>;
  /** Registers at one of the processes; rejects when the wire fails. */
  post(origin: string, body: Readonly<Record<string, unknown>>): Promise<RegistrationAnswer>;
}

/** Starts `count` registrar processes on one database. */
export async function startRegistrarFleet(databaseUrl: string, count: number): Promise<RegistrarFleet> {
  const resources = new AsyncDisposableStack();
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const pepper = randomBytes(32).toString('base64');
  const key = createAsymmetricTokenKey({ issuer: 'example.com', keyId: 'k', key: privateKey });
  const pools = new Map<string, Pool>();
  const start = async (env: Readonly<Record<string, string>> = {}): Promise<RegistrarProcess> => {
    const child = spawn(process.execPath, ['--conditions=@endorse/source', script], {
      env: {
        PATH: process.env['PATH'],
        DATABASE_URL: databaseUrl,
        PEPPER: pepper,
        AUDIENCE: audience,
        TOKEN_KEY: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'close');
    resources.defer(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    const [origin] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    return { origin, pid: child.pid, ended };
  };
  // The first one makes the tables while the others wait for it: all at once, as a deployment does.
  const processes = await Promise.all(Array.from({ length: count }, () => start()));
  const database = await openPostgresql({ url: Secret.fromText(databaseUrl), retryForMs: 60_000 });
  const store = resources.use(await openStore({ database, peppers: { 1: Secret.fromBase64(pepper) } }));
  resources.defer(async () => {
    await Promise.all([...pools.values()].map((pool) => pool.destroy()));
  });
  return {
    processes,
    store,
    start,
    mint: async (claims = {}) => {
      const common = { key, url: audience, expiresInMs: 3_600_000, now: Date.now(), random: systemRandom };
      return (await mintToken({ ...common, ...claims })).token.revealText();
    },
    async post(origin, body) {
      const pool = pools.get(origin) ?? new Pool(origin, { connections: 50 });
      pools.set(origin, pool);
      const { statusCode, body: stream } = await pool.request({
        method: 'POST',
        path: '/api/register-device',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return { status: statusCode, body: (await stream.json()) as Record<string, string> };
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
