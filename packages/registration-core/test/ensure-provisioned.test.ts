import type { TpmSecurityClient } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import type { ScriptStep, ScriptedTransport } from '@endorse/testkit';
import { createScriptedTransport } from '@endorse/testkit';
import type { EnsureProvisionedOptions, ProvisionedDevice } from '@endorse/registration-core';
import { ensureProvisioned } from '@endorse/registration-core';
import { describe, expect, it } from 'vitest';
import { createFakeTpm } from './support/fake-identities.ts';
import type { MemoryStore } from './support/memory-store.ts';
import { createMemoryStore } from './support/memory-store.ts';
import { runToEnd } from './support/run.ts';
import { assigned, challenge, failWith, registerWith, target } from './support/scripts.ts';

const once: readonly ScriptStep[] = [challenge, registerWith(assigned)];

interface Boot {
  readonly transport: ScriptedTransport;
  readonly device: ProvisionedDevice;
}

/** One boot of the device: what it found, and what it sent for it. */
async function boot(
  store: MemoryStore,
  script: readonly ScriptStep[],
  options: Partial<EnsureProvisionedOptions> = {},
): Promise<Boot> {
  const transport = createScriptedTransport(script);
  const securityClient: TpmSecurityClient = createFakeTpm();
  const device = await ensureProvisioned({
    ...target,
    transport,
    securityClient,
    store,
    clock: new VirtualClock(),
    ...options,
  });
  transport.assertDone();
  return { transport, device };
}

const assignment = {
  provisioningHost: 'dps.example.test',
  idScope: '0ne00000001',
  attestation: 'tpm',
  registrationId: 'tpm-device-1',
  assignedHub: 'hub.example.test',
  deviceId: 'tpm-device-1',
  substatus: 'initialAssignment',
  assignedAt: 1_700_000_000_000,
};

describe('a device', () => {
  it('registers at its first boot, keeps the assignment, and sends nothing at later boots', async () => {
    const store = createMemoryStore();
    const first = await boot(store, once);
    expect(first.device).toMatchObject({ ...assignment, source: 'registered', reason: 'absent' });
    expect(store.writes).toHaveLength(1);
    const second = await boot(store, []);
    expect(second.device).toMatchObject({ ...assignment, source: 'stored' });
    expect(second.transport.calls).toEqual([]);
    expect(store.writes).toHaveLength(1);
  });

  it('keeps what the allocation function returned, and nothing secret', async () => {
    const store = createMemoryStore();
    const state = { ...assigned.operation.registrationState, payload: { colour: 'blue' } };
    await boot(store, [
      challenge,
      registerWith({ operation: { ...assigned.operation, registrationState: state } }),
    ]);
    const { device } = await boot(store, []);
    expect(device.payload).toEqual({ colour: 'blue' });
    expect(store.text).not.toContain('authenticationKey');
    expect(store.text).not.toContain(
      Buffer.from(assigned.operation.registrationState?.tpm?.authenticationKey ?? []).toString('base64'),
    );
  });

  it('registers when it is told to, whatever is stored', async () => {
    const store = createMemoryStore();
    await boot(store, once);
    const { device, transport } = await boot(store, once, { forceRegistration: true });
    expect(device).toMatchObject({ source: 'registered', reason: 'forced' });
    expect(transport.calls[2]).toHaveProperty('request.registrationInfo.forceRegistration', true);
  });

  it('that is told to stop does nothing at all', async () => {
    const store = createMemoryStore();
    const signal = AbortSignal.abort(new Error('shutting down'));
    await expect(boot(store, [], { signal })).rejects.toThrow('shutting down');
  });
});

describe('a stored assignment that is of no use', () => {
  const usable = `{"format":"endorse-assignment","version":1,"provisioningHost":"dps.example.test","idScope":"0ne00000001","attestation":"tpm","registrationId":"tpm-device-1","assignedHub":"hub.example.test","deviceId":"tpm-device-1","operationId":"5.a","assignedAt":1}`;

  it('(the control: this one is of use)', async () => {
    const { device } = await boot(createMemoryStore(usable), []);
    expect(device.source).toBe('stored');
  });

  it.each([
    ['empty', ''],
    ['cut off', usable.slice(0, -20)],
    ['of another program', '{"hello":"world"}'],
    ['JSON of another kind', 'null'],
    ['of a later version', usable.replace('"version":1', '"version":2')],
    ['without a hub', usable.replace('hub.example.test', '')],
    ['with a device id that is no text', usable.replace('"deviceId":"tpm-device-1"', '"deviceId":7')],
    ['with an unknown attestation', usable.replace('"tpm"', '"punch-card"')],
    ['with a time that is none', usable.replace('"assignedAt":1', '"assignedAt":"noon"')],
    ['without an operation id', usable.replace('"operationId":"5.a",', '')],
    ['far too long', `${usable.slice(0, -1)},"padding":"${'x'.repeat(300_000)}"}`],
  ])('is replaced when it is %s', async (_what, text) => {
    const store = createMemoryStore(text);
    const { device } = await boot(store, once);
    expect(device).toMatchObject({ source: 'registered', reason: 'corrupt' });
    expect((await boot(store, [])).device.source).toBe('stored');
  });

  it.each([
    ['another scope', { idScope: '0ne00000002' }],
    ['another service', { provisioningHost: 'other.example.test' }],
    ['another port of the service', { provisioningHost: 'dps.example.test:8443' }],
    ['another TPM', { securityClient: createFakeTpm({ registrationId: 'tpm-device-2' }) }],
  ])('is replaced when it belongs to %s', async (_what, options) => {
    const store = createMemoryStore(usable);
    const { device } = await boot(store, once, options);
    expect(device).toMatchObject({ source: 'registered', reason: 'foreign' });
  });

  it.each([
    ['scope', { idScope: '0NE00000001' }],
    ['registration id', { securityClient: createFakeTpm({ registrationId: 'TPM-Device-1' }) }],
    ['host', { provisioningHost: 'DPS.example.test:443' }],
  ])('is not one that differs in the case or the form of the %s', async (_what, options) => {
    expect((await boot(createMemoryStore(usable), [], options)).device.source).toBe('stored');
  });
});

describe('verifyHub', () => {
  it('true: the assignment is reused', async () => {
    const store = createMemoryStore();
    await boot(store, once);
    const seen: unknown[] = [];
    const { device } = await boot(store, [], {
      verifyHub: async (found) => {
        seen.push(found);
        return true;
      },
    });
    expect(device.source).toBe('stored');
    expect(seen).toMatchObject([assignment]);
  });

  it('false: the device registers anew, and asks once only', async () => {
    const store = createMemoryStore();
    await boot(store, once);
    let asked = 0;
    const { device } = await boot(store, once, {
      verifyHub: () => {
        asked += 1;
        return false;
      },
    });
    expect(device).toMatchObject({ source: 'registered', reason: 'refused' });
    expect(asked).toBe(1);
  });

  it('a rejection ends it: no network is no reason to register', async () => {
    const store = createMemoryStore();
    await boot(store, once);
    const error = new Error('network is down');
    await expect(boot(store, [], { verifyHub: () => Promise.reject(error) })).rejects.toBe(error);
    await expect(
      boot(store, [], {
        verifyHub: () => {
          throw error;
        },
      }),
    ).rejects.toBe(error);
  });

  it('has a time limit, and is told when it is over', async () => {
    const store = createMemoryStore();
    await boot(store, once);
    const clock = new VirtualClock();
    let aborted = false;
    const booting = boot(store, [], {
      clock,
      verifyTimeoutMs: 4000,
      verifyHub: (_device, { signal }) =>
        new Promise(() => {
          signal.addEventListener('abort', () => (aborted = true), { once: true });
        }),
    });
    const startedAt = clock.now();
    const outcome = await runToEnd(clock, booting);
    expect(outcome).toMatchObject({ reason: { code: 'ERR_TIMEOUT', deadlineMs: 4000, state: 'verifyHub' } });
    expect(aborted).toBe(true);
    // The limit, and ten seconds of grace because this one does not listen.
    expect(clock.now() - startedAt).toBe(14_000);
  });
});

describe('several callers at once', () => {
  it('one registers, the others reuse what it stored', async () => {
    const store = createMemoryStore();
    const boots = await Promise.all([boot(store, once), boot(store, []), boot(store, [])]);
    expect(boots.map(({ device }) => device.source)).toEqual(['registered', 'stored', 'stored']);
    expect(store.writes).toHaveLength(1);
  });

  it('after a failure the next one tries', async () => {
    const store = createMemoryStore();
    const failing = boot(store, [failWith('getAuthenticationChallenge', new Error('once'))]);
    const trying = boot(store, once);
    await expect(failing).rejects.toThrow('once');
    expect((await trying).device).toMatchObject({ source: 'registered', reason: 'absent' });
  });
});

describe('a store that fails', () => {
  it('to be read keeps the device from registering at every boot', async () => {
    const store = createMemoryStore();
    const error = new Error('EIO');
    store.read = () => Promise.reject(error);
    await expect(boot(store, [])).rejects.toBe(error);
  });

  it('to be written says so, with the assignment that works until the next boot', async () => {
    const store = createMemoryStore();
    const error = new Error('ENOSPC');
    store.write = () => Promise.reject(error);
    await expect(boot(store, once)).rejects.toMatchObject({
      name: 'ProvisioningStateError',
      code: 'ERR_STATE_WRITE',
      cause: error,
      device: { ...assignment, source: 'registered', reason: 'absent' },
    });
  });

  it('is still written to when the caller aborts after the registration', async () => {
    const store = createMemoryStore();
    const controller = new AbortController();
    const { device } = await boot(store, once, {
      signal: controller.signal,
      onProgress: ({ event }) => {
        if (event === 'registration-assigned') queueMicrotask(() => controller.abort(new Error('too late')));
      },
    });
    expect(device.source).toBe('registered');
    expect(store.writes).toHaveLength(1);
  });
});

it.each([
  ['no store', { store: undefined }, 'store'],
  ['a store that is none', { store: {} }, 'store'],
  ['a verifyHub that is none', { verifyHub: true }, 'verifyHub'],
  ['a limit out of range', { verifyTimeoutMs: 0 }, 'verifyTimeoutMs'],
])('%s is refused before any IO', async (_what, options, argument) => {
  const securityClient = createFakeTpm();
  const transport = createScriptedTransport([]);
  const booting = ensureProvisioned({
    ...target,
    transport,
    securityClient,
    store: createMemoryStore(),
    ...options,
  } as EnsureProvisionedOptions);
  await expect(booting).rejects.toMatchObject({ name: 'InvalidArgumentError', argument });
  expect(securityClient.calls).toEqual([]);
});
