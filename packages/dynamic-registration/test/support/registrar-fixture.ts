import { Secret } from '@endorse/interface';
import { systemRandom } from '@endorse/interface/node';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import type { RegistrationHandlerOptions } from '../../src/server/index.ts';
import { createMetrics, createRegistrationHandler } from '../../src/server/index.ts';
import type { StoreOptions } from '../../src/store/index.ts';
import type { MintTokenOptions } from '../../src/tokens/index.ts';
import { createAsymmetricTokenKey, createSecretTokenKey, mintToken } from '../../src/tokens/index.ts';
import { ed25519, issuer, now, url } from './forge.ts';
import { startStore } from './store-fixture.ts';

export type Body = Readonly<Record<string, unknown>>;

/** A registrar without sockets. */
export async function startHandler(
  options: Partial<RegistrationHandlerOptions> = {},
  storeOptions: Partial<StoreOptions> = {},
) {
  const clock = new VirtualClock(now);
  const fixture = await startStore({ clock, ...storeOptions });
  const lines: Readonly<Record<string, unknown>>[] = [];
  const metrics = createMetrics();
  const key = createAsymmetricTokenKey({ issuer, keyId: 'ed', key: ed25519 });
  const handler = createRegistrationHandler({
    store: fixture.store,
    keys: [key],
    audience: [url],
    clock,
    metrics,
    logger: { log: (level, event, fields) => void lines.push({ level, event, ...fields }) },
    ...options,
  });
  const mint = async (claims: Partial<MintTokenOptions> = {}): Promise<string> =>
    (
      await mintToken({ key, url, expiresInMs: 3_600_000, now: clock.now(), random: systemRandom, ...claims })
    ).token.revealText();
  const post = (body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    handler(
      new Request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
      { remoteAddress: '192.0.2.1' },
    );
  const call = (path: string, method: string, credentials: { accessKey: string; accessSecret: string }) =>
    handler(
      new Request(new URL(path, url), {
        method,
        headers: {
          authorization: `Basic ${Buffer.from(`${credentials.accessKey}:${credentials.accessSecret}`).toString('base64')}`,
        },
      }),
    );
  return {
    ...fixture,
    clock,
    handler,
    mint,
    post,
    call,
    metrics,
    lines,
    [Symbol.asyncDispose]: () => fixture.store.close(),
  };
}

/** The seed's two globals, as weak as people make them. */
export const seedKey = createSecretTokenKey({
  issuer: 'example.com',
  secret: Secret.fromText('YOUR JWT SECRET'),
  acceptWeakSecret: true,
});

/** What a reply says. */
export async function read(response: Response): Promise<{ status: number; body: Record<string, string> }> {
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, string>) };
}
