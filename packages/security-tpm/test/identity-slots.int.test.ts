/** Which key is in force, whatever happened in between. Oracles: the TPM's handles, and OpenSSL for the signatures. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { commands, rh, srkTemplateEccP256 } from '@endorse/tpm2';
import { createTpmExecutor, createTpmSecurityClient, identityKeyHandles } from '@endorse/security-tpm';
import type { TpmSecurityClientHandle } from '@endorse/security-tpm';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { describe, expect, test } from 'vitest';
import { activateFresh, hmac, probe, startTpm, wrapKey } from './support/client-fixture.ts';
import type { WrappedKey } from './support/client-fixture.ts';

const [primary, alternate] = identityKeyHandles;

async function identityHandles(client: TpmSecurityClientHandle): Promise<number[]> {
  const { capabilityData } = await client.executor.execute(commands.GetCapability, {
    capability: 'handles',
    property: primary,
    propertyCount: 2,
  });
  const handles = capabilityData.kind === 'handles' ? capabilityData.handles : [];
  return handles.filter((handle) => identityKeyHandles.includes(handle));
}

describe('alternating handles', () => {
  test('the two keys of a provisioning end with the second at 0x81000100', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    await activateFresh(client);
    expect(await identityHandles(client)).toEqual([alternate]);
    const hubKey = await activateFresh(client);
    expect(await identityHandles(client)).toEqual([primary]);
    expect(await client.signWithIdentity(probe)).toEqual(hmac(hubKey, probe));
  });

  test('the key is found again by a new client, and after the TPM was powered off', async () => {
    await using tpm = await startTpm();
    const first = await tpm.open();
    const key = await activateFresh(first);
    await first.close();
    await tpm.simulator.restart();
    const second = await tpm.open();
    expect(await second.signWithIdentity(probe)).toEqual(hmac(key, probe));
  });

  test('the key that is in force already is activated without wearing NV memory', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open();
    const { key, blob } = await wrapKey(client);
    await client.activateIdentityKey(blob);
    tpm.interposer.passed.length = 0;
    await client.activateIdentityKey(blob);
    expect(tpm.interposer.passed.map(({ name }) => name)).not.toContain('EvictControl');
    expect(await client.signWithIdentity(probe)).toEqual(hmac(key, probe));
  });

  describe('after the process was killed between persisting the new key and removing the old one', () => {
    // The rule: the key at the primary handle is in force. So the direction decides which of the two keys that is.
    test.each([
      ['new key at the primary handle: it was committed', 1, 'new'],
      ['new key at the alternate handle: the old one still works', 2, 'old'],
    ] as const)('%s', async (_, olderKeys, inForce) => {
      await using simulator = await startTpmSimulator({ provisioned: true });
      const wrapped = await wrapOnce(simulator.address, olderKeys + 1);
      const exit = await runCrashingDevice(simulator.address, 1, wrapped);
      expect(exit).toEqual([null, 'SIGKILL']);

      await using client = await createTpmSecurityClient({ tpm: simulator.address });
      expect(await identityHandles(client)).toEqual([primary, alternate]);
      const expected = inForce === 'new' ? wrapped[olderKeys] : wrapped[olderKeys - 1];
      expect(await client.signWithIdentity(probe)).toEqual(hmac(expected?.key ?? probe, probe));

      const next = await activateFresh(client);
      expect(await client.signWithIdentity(probe)).toEqual(hmac(next, probe));
      expect(await identityHandles(client)).toHaveLength(1);
    });

    test('or after the old one was removed: the new one', async () => {
      await using simulator = await startTpmSimulator({ provisioned: true });
      const wrapped = await wrapOnce(simulator.address, 3);
      expect(await runCrashingDevice(simulator.address, 2, wrapped)).toEqual([null, 'SIGKILL']);
      await using client = await createTpmSecurityClient({ tpm: simulator.address });
      expect(await client.signWithIdentity(probe)).toEqual(hmac(wrapped[2]?.key ?? probe, probe));
    });
  });

  test.each([0, 1])(
    'when the old key cannot be removed, the switch is undone (after %i others)',
    async (older) => {
      await using tpm = await startTpm();
      const client = await tpm.open();
      for (let count = 0; count < older; count += 1) await activateFresh(client);
      const before = await activateFresh(client);
      const handles = await identityHandles(client);
      const { blob } = await wrapKey(client);
      let evictions = 0;
      tpm.interposer.intercept = (name) => {
        if (name === 'EvictControl') evictions += 1;
        return name === 'EvictControl' && evictions === 2 ? { refuse: 0x101 } : undefined;
      };
      await expect(client.activateIdentityKey(blob)).rejects.toMatchObject({
        code: 'ERR_TPM_FAILURE',
        command: 'EvictControl',
      });
      tpm.interposer.intercept = undefined;
      expect(await identityHandles(client)).toEqual(handles);
      expect(await client.signWithIdentity(probe)).toEqual(hmac(before, probe));
    },
  );

  test('a switch that can be neither finished nor undone leaves the key that the rule names, and says so', async () => {
    await using tpm = await startTpm();
    const events: string[] = [];
    const client = await tpm.open({ logger: { log: (_level, event) => events.push(event) } });
    await activateFresh(client);
    const { key, blob } = await wrapKey(client);
    let evictions = 0;
    tpm.interposer.intercept = (name) => {
      if (name === 'EvictControl') evictions += 1;
      return name === 'EvictControl' && evictions >= 2 ? { refuse: 0x101 } : undefined;
    };
    // The new key is at the primary handle: in force, whatever became of the old one.
    await client.activateIdentityKey(blob);
    tpm.interposer.intercept = undefined;
    expect(events).toContain('tpm-identity-key-left-over');
    expect(await identityHandles(client)).toEqual([primary, alternate]);
    expect(await client.signWithIdentity(probe)).toEqual(hmac(key, probe));
    await activateFresh(client);
    expect(await identityHandles(client)).toHaveLength(1);
    expect(events).toContain('tpm-identity-key-leftover-removed');
  });

  test('somebody else’s key at one of the handles is never removed', async () => {
    await using simulator = await startTpmSimulator({ provisioned: true });
    await persistForeignKey(simulator.address, alternate);
    await using client = await createTpmSecurityClient({ tpm: simulator.address });
    const { blob } = await wrapKey(client);
    await expect(client.activateIdentityKey(blob)).rejects.toMatchObject({
      code: 'ERR_TPM_HANDLE_OCCUPIED',
      handle: alternate,
    });
    await expect(client.signWithIdentity(probe)).rejects.toMatchObject({ code: 'ERR_TPM_NO_IDENTITY_KEY' });
    expect(await identityHandles(client)).toEqual([alternate]);
  });
});

describe('in place', () => {
  test('uses 0x81000100 alone', async () => {
    await using tpm = await startTpm();
    const client = await tpm.open({ identityKeyHandles: 'in-place' });
    await activateFresh(client);
    expect(await identityHandles(client)).toEqual([primary]);
    const second = await activateFresh(client);
    expect(await identityHandles(client)).toEqual([primary]);
    expect(await client.signWithIdentity(probe)).toEqual(hmac(second, probe));
  });

  test.each([
    ['refused once', { refuse: 0x101 }],
    ['lost before the TPM saw it', { lose: 'before' }],
    ['lost after the TPM executed it', { lose: 'after' }],
  ] as const)('the new key survives when persisting it is %s', async (_, action) => {
    await using tpm = await startTpm();
    const client = await tpm.open({ identityKeyHandles: 'in-place' });
    await activateFresh(client);
    const { key, blob } = await wrapKey(client);
    let evictions = 0;
    tpm.interposer.intercept = (name) => {
      if (name === 'EvictControl') evictions += 1;
      return name === 'EvictControl' && evictions === 2 ? action : undefined;
    };
    await client.activateIdentityKey(blob);
    tpm.interposer.intercept = undefined;
    expect(await client.signWithIdentity(probe)).toEqual(hmac(key, probe));
  });
});

async function wrapOnce(address: string, count: number): Promise<WrappedKey[]> {
  await using client = await createTpmSecurityClient({ tpm: address });
  const wrapped: WrappedKey[] = [];
  for (let index = 0; index < count; index += 1) wrapped.push(await wrapKey(client));
  return wrapped;
}

async function runCrashingDevice(
  address: string,
  evictions: number,
  wrapped: readonly WrappedKey[],
): Promise<unknown[]> {
  const script = fileURLToPath(new URL('./support/crashing-device.ts', import.meta.url));
  const blobs = wrapped.map(({ blob }) => Buffer.from(blob).toString('base64'));
  const device = spawn(
    process.execPath,
    [
      '--conditions=@endorse/source',
      '--disable-warning=ExperimentalWarning',
      script,
      address,
      String(evictions),
      ...blobs,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  return once(device, 'exit');
}

async function persistForeignKey(address: string, persistentHandle: number): Promise<void> {
  await using executor = await createTpmExecutor(address);
  await executor.exclusive(async (scope) => {
    const request = { primaryHandle: rh.owner, inPublic: srkTemplateEccP256 };
    const { objectHandle } = await scope.execute(commands.CreatePrimary, request);
    await scope.execute(commands.EvictControl, { auth: rh.owner, objectHandle, persistentHandle });
  });
}
