/** Oracle: swtpm, a TPM 2.0 implementation on libtpms. */
import { randomBytes } from 'node:crypto';
import type { CommandInfo } from '@endorse/tpm2';
import { commands, computeNvName, nvAttributes, rh, templates, tpmProperties } from '@endorse/tpm2';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { describe, expect, it } from 'vitest';
import { hex } from './support/bytes.ts';
import { seededRandom } from './support/random.ts';
import { openTpm, password, primary } from './support/tpm.ts';

const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };

const allCommands = Object.values<CommandInfo>({ ...commands });

describe('other commands', () => {
  it('are understood both ways', async () => {
    await using simulator = await startTpmSimulator();
    await using tpm = await openTpm(simulator.address);
    expect((await tpm.execute(commands.GetRandom, { bytesRequested: 20 })).randomBytes).toHaveLength(20);
    await tpm.execute(commands.SelfTest, { fullTest: false });
    expect(await tpm.execute(commands.GetTestResult, {})).toMatchObject({ testResult: 0 });
    await expect(tpm.execute(commands.Startup, { startupType: 'clear' })).rejects.toMatchObject({
      code: 'ERR_TPM_INITIALIZE',
      rc: 0x100,
    });
    await expect(tpm.execute(commands.ReadPublic, { objectHandle: 0x8101_0001 })).rejects.toMatchObject({
      code: 'ERR_TPM_HANDLE',
      rc: 0x18b,
    });
    const key = await primary(tpm, rh.owner, templates.ecc.storageRootKey);
    const persistentHandle = 0x8100_0001;
    const evict = { auth: rh.owner, objectHandle: key.objectHandle, persistentHandle };
    await tpm.execute(commands.EvictControl, evict, [password]);
    await expect(tpm.execute(commands.EvictControl, evict, [password])).rejects.toMatchObject({
      code: 'ERR_TPM_NV_DEFINED',
    });
    const { context } = await tpm.execute(commands.ContextSave, { saveHandle: key.objectHandle });
    expect(context).toMatchObject({ sequence: expect.any(BigInt), hierarchy: rh.owner });
    const { loadedHandle } = await tpm.execute(commands.ContextLoad, { context });
    expect(await tpm.execute(commands.ReadPublic, { objectHandle: loadedHandle })).toMatchObject({
      name: key.name,
    });
    await tpm.execute(commands.EvictControl, { ...evict, objectHandle: persistentHandle }, [password]);
    await tpm.execute(commands.Clear, { authHandle: rh.platform }, [password]);
    await tpm.execute(commands.DictionaryAttackLockReset, {}, [password]);
    await tpm.execute(commands.Shutdown, { shutdownType: 'clear' });
  });

  it('list what the TPM has and can do', async () => {
    await using simulator = await startTpmSimulator({ provisioned: true });
    await using tpm = await openTpm(simulator.address);
    const list = async (
      capability:
        | 'algorithms'
        | 'handles'
        | 'commands'
        | 'ppCommands'
        | 'auditCommands'
        | 'tpmProperties'
        | 'eccCurves',
      property: number,
    ): Promise<unknown> =>
      (await tpm.execute(commands.GetCapability, { capability, property, propertyCount: 200 }))
        .capabilityData;
    expect(await list('handles', 0x8100_0000)).toEqual({
      kind: 'handles',
      handles: [0x8100_0001, 0x8101_0001],
    });
    expect(await list('tpmProperties', tpmProperties.inputBuffer)).toMatchObject({
      properties: expect.arrayContaining([{ property: tpmProperties.inputBuffer, value: 1024 }]),
    });
    expect(await list('algorithms', 0)).toMatchObject({
      algorithms: expect.arrayContaining([{ algorithm: 0x000b, attributes: 4 }]),
    });
    expect(await list('eccCurves', 0)).toMatchObject({ curves: expect.arrayContaining([3, 4]) });
    const { attributes } = (await list('commands', 0)) as { readonly attributes: readonly number[] };
    expect(attributes.map((value) => value & 0xffff)).toEqual(
      expect.arrayContaining(allCommands.map(({ code }) => code)),
    );
    // Handles, authorizations and encryption as the TPM itself describes its commands (TPMA_CC).
    for (const command of allCommands) {
      const found = attributes.find((value) => (value & 0xffff) === command.code) ?? 0;
      expect([command.name, (found >>> 25) & 7]).toEqual([command.name, command.handleCount]);
      expect([command.name, (found >>> 28) & 1]).toEqual([command.name, command.responseHandleCount]);
    }
    expect(await list('ppCommands', 0)).toMatchObject({ kind: 'ppCommands' });
    expect(await list('auditCommands', 0)).toMatchObject({ kind: 'auditCommands' });
  });

  it('define, write and read NV memory, whose Name changes when it is written', async () => {
    await using simulator = await startTpmSimulator();
    await using tpm = await openTpm(simulator.address);
    const nvIndex = 0x0150_0001;
    const publicInfo = {
      nvIndex,
      nameAlg: 'sha256',
      attributes:
        nvAttributes.ownerWrite | nvAttributes.ownerRead | nvAttributes.authRead | nvAttributes.noDa,
      authPolicy: hex(''),
      dataSize: 40,
    } as const;
    await tpm.execute(commands.NV_DefineSpace, { authHandle: rh.owner, publicInfo }, [password]);
    const before = await tpm.execute(commands.NV_ReadPublic, { nvIndex });
    expect(before).toEqual({ nvPublic: publicInfo, nvName: computeNvName(publicInfo) });
    const data = seededRandom('nv').bytes(40);
    await tpm.execute(commands.NV_Write, { authHandle: rh.owner, nvIndex, data, offset: 0 }, [password]);
    const after = await tpm.execute(commands.NV_ReadPublic, { nvIndex });
    expect(after.nvPublic.attributes).toBe((publicInfo.attributes | nvAttributes.written) >>> 0);
    expect(after.nvName).toEqual(computeNvName(after.nvPublic));
    const read = { authHandle: nvIndex, nvIndex, size: 30, offset: 10 };
    expect((await tpm.execute(commands.NV_Read, read, [password])).data).toEqual(data.slice(10));
    await tpm.execute(commands.NV_UndefineSpace, { authHandle: rh.owner, nvIndex }, [password]);
  });

  it('extend a policy digest as we compute it', async () => {
    await using simulator = await startTpmSimulator();
    await using tpm = await openTpm(simulator.address);
    const { sessionHandle } = await tpm.execute(commands.StartAuthSession, {
      nonceCaller: random.bytes(16),
      sessionType: 'trial',
      authHash: 'sha256',
    });
    const code = commands.Duplicate.code;
    await tpm.execute(commands.PolicyCommandCode, { policySession: sessionHandle, code });
    const { policyDigest } = await tpm.execute(commands.PolicyGetDigest, { policySession: sessionHandle });
    expect(Buffer.from(policyDigest).toString('hex')).toBe(
      'bef56b8c1cc84e11edd717528d2cd99356bd2bbf8f015209c3f84aeeaba8e8a2',
    );
    await tpm.execute(commands.FlushContext, { flushHandle: sessionHandle });
  });
});
