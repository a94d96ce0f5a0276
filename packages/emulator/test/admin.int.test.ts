/** The admin API over HTTP: on loopback, with its token, live. */
import { Secret } from '@endorse/interface';
import { expect, test } from 'vitest';
import { startEmulator } from '@endorse/emulator';
import { emulatorFixture, tpmDevice } from './support/http-client.ts';
import { softwareTpm } from './support/software-tpm.ts';

const json = async (response: Response): Promise<unknown> => response.json();

test('there is none unless it is asked for', async () => {
  await using emulator = await startEmulator();
  expect(emulator.admin).toBeUndefined();
});

test('a token of its own, or the one given; the page comes with headers that keep it to itself', async () => {
  const adminToken = Secret.fromText('0123456789abcdef');
  await using first = await startEmulator({ adminPort: 0, adminToken });
  await using second = await startEmulator({ adminPort: 0 });
  const url = first.admin?.url ?? '';
  const ask = (token: string) =>
    fetch(`${url}/api/overview`, { headers: { authorization: `Bearer ${token}` } });
  expect((await ask('0123456789abcdef')).status).toBe(200);
  expect((await ask(second.admin?.token.revealText() ?? '')).status).toBe(401);
  expect(second.admin?.token.byteLength).toBeGreaterThanOrEqual(32);
  expect(String(second.admin?.token)).toMatch(/^\[Secret/);
  const page = await fetch(url);
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(page.headers.get('cache-control')).toBe('no-store');
  const text = await page.text();
  expect(text).toContain('<title>Endorse emulator</title>');
  // One file: nothing is fetched from anywhere else.
  expect(text).not.toMatch(/(src|href)="(?!data:)/);
});

test.each([{ adminPort: 70_000 }, { adminPort: 0, adminToken: Secret.fromText('short') }])(
  'an unusable option is refused: %o',
  async (options) => {
    await expect(startEmulator(options)).rejects.toMatchObject({
      argument: expect.stringContaining('options.admin') as unknown,
    });
  },
);

test('a port that is taken is an error, and nothing stays open', async () => {
  await using first = await startEmulator({ adminPort: 0 });
  const adminPort = Number(new URL(first.admin?.url ?? '').port);
  await expect(startEmulator({ adminPort })).rejects.toMatchObject({ code: 'ERR_EMULATOR_LISTEN' });
});

test('registrations and events arrive while they happen, and what is too large is refused', async () => {
  await using fixture = await emulatorFixture({ adminPort: 0 });
  const { url = '', token } = fixture.emulator.admin ?? {};
  const headers = { authorization: `Bearer ${token?.revealText() ?? ''}` };
  const stop = new AbortController();
  const feed = await fetch(`${url}/api/events`, { headers, signal: stop.signal });
  const lines = readLines(feed);

  const tpm = softwareTpm();
  await fixture.emulator.createTpmEnrollment({
    registrationId: 'device-1',
    endorsementKey: tpm.endorsementKey,
  });
  expect(await lines.next()).toMatchObject({
    value: { kind: 'event', event: { event: 'enrollment-written', registrationId: 'device-1' } },
  });
  const device = tpmDevice(fixture, 'device-1', tpm);
  await device.solve(await device.requestChallenge());
  expect(await lines.next()).toMatchObject({ value: { event: { event: 'challenge-issued' } } });
  expect(await lines.next()).toMatchObject({
    value: {
      kind: 'trace',
      trace: { registrationId: 'device-1', state: 'running', steps: [{ blob: [{}, {}, {}, {}, {}, {}] }] },
    },
  });
  const traces = await json(await fetch(`${url}/api/traces`, { headers }));
  expect(traces).toMatchObject([{ registrationId: 'device-1' }]);
  const large = await fetch(`${url}/api/faults`, { method: 'POST', headers, body: 'x'.repeat(70_000) });
  expect(large.status).toBe(413);
  stop.abort();
  // The emulator ends although somebody may still be watching.
  const another = await fetch(`${url}/api/events`, { headers });
  await fixture.emulator.stop();
  await expect(another.text()).rejects.toThrow();
});

async function* readLines(response: Response): AsyncGenerator {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    const parts = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) yield JSON.parse(line) as unknown;
  }
}
