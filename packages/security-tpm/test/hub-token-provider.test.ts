/**
 * Hub tokens on a virtual clock. Oracle of the format: the public verification rule of IoT Hub (HMAC-SHA256 over the
 * raw `sr`, a line feed and `se`), computed here with node:crypto.
 */
import { createHmac } from 'node:crypto';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { createHubTokenProvider } from '@endorse/security-tpm';
import type { HubTokenProviderOptions } from '@endorse/security-tpm';
import { describe, expect, test } from 'vitest';

const key = Buffer.alloc(32, 7);
const hour = 3_600_000;
const startAt = 1_700_000_000_000;

interface Signer {
  readonly signed: Uint8Array[];
  readonly signals: (AbortSignal | undefined)[];
  signWithIdentity(
    data: Uint8Array,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<Uint8Array>;
}

function createSigner(fail?: () => Promise<never> | undefined): Signer {
  const signed: Uint8Array[] = [];
  const signals: (AbortSignal | undefined)[] = [];
  return {
    signed,
    signals,
    signWithIdentity: async (data, { signal } = {}) => {
      signed.push(data);
      signals.push(signal);
      await fail?.();
      return Uint8Array.from(createHmac('sha256', key).update(data).digest());
    },
  };
}

const optionsFor = (securityClient: Signer, clock: VirtualClock): HubTokenProviderOptions => ({
  securityClient,
  hubHost: 'hub.example.test',
  deviceId: 'device-1',
  clock,
});

describe('a hub token', () => {
  test('names device and expiry and is signed over exactly that', async () => {
    const signer = createSigner();
    const provider = createHubTokenProvider(optionsFor(signer, new VirtualClock(startAt)));
    const { sasToken, expiresAt } = await provider.getToken();
    expect(expiresAt).toBe(startAt + hour);
    const signature = createHmac('sha256', key)
      .update(`hub.example.test%2Fdevices%2Fdevice-1\n${expiresAt / 1000}`)
      .digest('base64');
    expect(sasToken.revealText()).toBe(
      `SharedAccessSignature sr=hub.example.test%2Fdevices%2Fdevice-1&sig=${encodeURIComponent(signature)}&se=${expiresAt / 1000}`,
    );
    expect(JSON.stringify({ sasToken })).not.toContain('SharedAccessSignature');
  });

  test('may be for a module, and for a hub on another port', async () => {
    const signer = createSigner();
    const provider = createHubTokenProvider({
      ...optionsFor(signer, new VirtualClock(startAt)),
      hubHost: '127.0.0.1:8443',
      moduleId: 'camera',
    });
    expect((await provider.getToken()).sasToken.revealText()).toContain(
      'sr=127.0.0.1%3A8443%2Fdevices%2Fdevice-1%2Fmodules%2Fcamera&',
    );
  });

  test('is kept until the renewal margin begins, then replaced before it expires', async () => {
    const signer = createSigner();
    const clock = new VirtualClock(startAt);
    const provider = createHubTokenProvider(optionsFor(signer, clock));
    const first = await provider.getToken();
    await clock.advance(0.85 * hour - 1);
    expect(await provider.getToken()).toBe(first);
    await clock.advance(1);
    const second = await provider.getToken();
    expect(second.expiresAt).toBe(startAt + 1.85 * hour);
    expect(signer.signed).toHaveLength(2);
  });

  test('has the life and the margin it is given', async () => {
    const signer = createSigner();
    const clock = new VirtualClock(startAt);
    const provider = createHubTokenProvider({
      ...optionsFor(signer, clock),
      lifetimeMs: 60_500,
      renewalMarginMs: 10_000,
    });
    // Whole seconds, never more than was asked for.
    expect((await provider.getToken()).expiresAt).toBe(startAt + 60_000);
    await clock.advance(49_999);
    await provider.getToken();
    expect(signer.signed).toHaveLength(1);
    await clock.advance(1);
    await provider.getToken();
    expect(signer.signed).toHaveLength(2);
  });

  test('is signed once for all who ask at the same time', async () => {
    const signer = createSigner();
    const provider = createHubTokenProvider(optionsFor(signer, new VirtualClock(startAt)));
    const tokens = await Promise.all([1, 2, 3].map(() => provider.getToken()));
    expect(new Set(tokens).size).toBe(1);
    expect(signer.signed).toHaveLength(1);
  });

  test('a caller that leaves does not disturb the others; when all have left, signing is aborted', async () => {
    let release = (): void => undefined;
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined);
    });
    const signer = createSigner(() => held as Promise<never>);
    const provider = createHubTokenProvider(optionsFor(signer, new VirtualClock(startAt)));
    const leaving = new AbortController();
    const left = provider.getToken({ signal: leaving.signal });
    const stays = provider.getToken();
    leaving.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    expect(signer.signals[0]?.aborted).toBe(false);
    release();
    await stays;

    const lonely = createSigner(() => new Promise<never>(() => undefined));
    const other = createHubTokenProvider(optionsFor(lonely, new VirtualClock(startAt)));
    const controller = new AbortController();
    const only = other.getToken({ signal: controller.signal });
    controller.abort(new Error('gone'));
    await expect(only).rejects.toThrow('gone');
    await expect.poll(() => lonely.signals[0]?.aborted).toBe(true);
    // The next caller does not inherit the abandoned attempt.
    void other.getToken().catch(() => undefined);
    await expect.poll(() => lonely.signed).toHaveLength(2);
  });

  test('a failed signature is handed out and not kept', async () => {
    let failures = 1;
    const signer = createSigner(() => {
      failures -= 1;
      return failures < 0 ? undefined : Promise.reject(new Error('TPM is busy'));
    });
    const provider = createHubTokenProvider(optionsFor(signer, new VirtualClock(startAt)));
    await expect(provider.getToken()).rejects.toThrow('TPM is busy');
    await provider.getToken();
    expect(signer.signed).toHaveLength(2);
  });

  test('an aborted signal asks for nothing', async () => {
    const signer = createSigner();
    const provider = createHubTokenProvider(optionsFor(signer, new VirtualClock(startAt)));
    const reason = new Error('no');
    await expect(provider.getToken({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(signer.signed).toEqual([]);
  });

  test.each<[Partial<HubTokenProviderOptions>, string]>([
    [{ lifetimeMs: 999 }, 'ERR_OUT_OF_RANGE'],
    [{ lifetimeMs: Number.NaN }, 'ERR_OUT_OF_RANGE'],
    [{ lifetimeMs: 60_000, renewalMarginMs: 60_000 }, 'ERR_OUT_OF_RANGE'],
    [{ renewalMarginMs: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ hubHost: 'https://hub' }, 'ERR_INVALID_ARGUMENT'],
    [{ deviceId: '' }, 'ERR_INVALID_ARGUMENT'],
    [{ moduleId: 'a/b' }, 'ERR_INVALID_ARGUMENT'],
  ])('%j is refused before anything is signed', (overrides, code) => {
    const options = { ...optionsFor(createSigner(), new VirtualClock(startAt)), ...overrides };
    expect(() => createHubTokenProvider(options)).toThrow(expect.objectContaining({ code }) as Error);
  });
});
