/** Oracle: the request classes of tss.js 2.0.0, byte for byte on random requests: the TPM, its memory and its owner. */
import { commands } from '@endorse/tpm2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agrees } from './support/agreement.ts';
import { bytes, nvPublic, u16, u32, u64 } from './support/arbitraries.ts';
import { toHex } from './support/bytes.ts';
import { tss, tssNvPublic } from './support/tss.ts';

const digest = bytes(0, 64);
const buffer = bytes(0, 200);
const handle = (value: number): tss.TPM_HANDLE => new tss.TPM_HANDLE(value);

describe('requests about the TPM, its memory and its owner', () => {
  const startupType = fc.constantFrom('clear', 'state');
  const su = { clear: tss.TPM_SU.CLEAR, state: tss.TPM_SU.STATE };
  agrees(
    commands.Startup,
    fc.record({ startupType }),
    (r) => new tss.TPM2_Startup_REQUEST(su[r.startupType]),
  );
  agrees(
    commands.Shutdown,
    fc.record({ shutdownType: startupType }),
    (r) => new tss.TPM2_Shutdown_REQUEST(su[r.shutdownType]),
  );
  agrees(
    commands.SelfTest,
    fc.record({ fullTest: fc.boolean() }),
    (r) => new tss.TPM2_SelfTest_REQUEST(r.fullTest ? 1 : 0),
  );
  agrees(commands.GetTestResult, fc.constant({}), () => new tss.TPM2_GetTestResult_REQUEST());
  const cap = {
    algorithms: tss.TPM_CAP.ALGS,
    handles: tss.TPM_CAP.HANDLES,
    commands: tss.TPM_CAP.COMMANDS,
    ppCommands: tss.TPM_CAP.PP_COMMANDS,
    auditCommands: tss.TPM_CAP.AUDIT_COMMANDS,
    tpmProperties: tss.TPM_CAP.TPM_PROPERTIES,
    eccCurves: tss.TPM_CAP.ECC_CURVES,
  };
  agrees(
    commands.GetCapability,
    fc.record({
      capability: fc.constantFrom(
        'algorithms',
        'handles',
        'commands',
        'ppCommands',
        'auditCommands',
        'tpmProperties',
        'eccCurves',
      ),
      property: u32,
      propertyCount: u32,
    }),
    (r) => new tss.TPM2_GetCapability_REQUEST(cap[r.capability], r.property, r.propertyCount),
  );
  agrees(
    commands.EvictControl,
    fc.record({ auth: u32, objectHandle: u32, persistentHandle: u32 }),
    (r) =>
      new tss.TPM2_EvictControl_REQUEST(handle(r.auth), handle(r.objectHandle), handle(r.persistentHandle)),
  );
  agrees(
    commands.FlushContext,
    fc.record({ flushHandle: u32 }),
    (r) => new tss.TPM2_FlushContext_REQUEST(handle(r.flushHandle)),
  );
  agrees(
    commands.ContextSave,
    fc.record({ saveHandle: u32 }),
    (r) => new tss.TPM2_ContextSave_REQUEST(handle(r.saveHandle)),
  );
  agrees(
    commands.NV_ReadPublic,
    fc.record({ nvIndex: u32 }),
    (r) => new tss.TPM2_NV_ReadPublic_REQUEST(handle(r.nvIndex)),
  );
  agrees(
    commands.NV_Read,
    fc.record({ authHandle: u32, nvIndex: u32, size: u16, offset: u16 }),
    (r) => new tss.TPM2_NV_Read_REQUEST(handle(r.authHandle), handle(r.nvIndex), r.size, r.offset),
  );
  agrees(
    commands.NV_DefineSpace,
    fc.record({ authHandle: u32, auth: digest, publicInfo: nvPublic }),
    (r) =>
      new tss.TPM2_NV_DefineSpace_REQUEST(
        handle(r.authHandle),
        Buffer.from(r.auth ?? []),
        tssNvPublic(r.publicInfo),
      ),
  );
  agrees(
    commands.NV_UndefineSpace,
    fc.record({ authHandle: u32, nvIndex: u32 }),
    (r) => new tss.TPM2_NV_UndefineSpace_REQUEST(handle(r.authHandle), handle(r.nvIndex)),
  );
  agrees(
    commands.NV_Write,
    fc.record({ authHandle: u32, nvIndex: u32, data: buffer, offset: u16 }),
    (r) =>
      new tss.TPM2_NV_Write_REQUEST(handle(r.authHandle), handle(r.nvIndex), Buffer.from(r.data), r.offset),
  );
  agrees(
    commands.HierarchyChangeAuth,
    fc.record({ authHandle: u32, newAuth: digest }),
    (r) => new tss.TPM2_HierarchyChangeAuth_REQUEST(handle(r.authHandle), Buffer.from(r.newAuth)),
  );
  agrees(
    commands.Clear,
    fc.record({ authHandle: u32 }),
    (r) => new tss.TPM2_Clear_REQUEST(handle(r.authHandle)),
  );
  agrees(
    commands.DictionaryAttackLockReset,
    fc.record({ lockHandle: fc.option(u32, { nil: undefined }) }),
    (r) => new tss.TPM2_DictionaryAttackLockReset_REQUEST(handle(r.lockHandle ?? tss.TPM_RH.LOCKOUT)),
  );
  it('ContextLoad is written as tss.js writes it, but for the sequence, which tss.js cannot write', () => {
    const context = fc.record({
      sequence: u64,
      savedHandle: u32,
      hierarchy: u32,
      contextBlob: fc
        .tuple(digest, buffer)
        .map((parts) => new Uint8Array(tssContextBlob(...parts).toBytes())),
    });
    fc.assert(
      fc.property(context, (value) => {
        const ours = toHex(commands.ContextLoad.encodeParameters({ context: value }));
        const size = ((value.contextBlob[0] ?? 0) << 8) | (value.contextBlob[1] ?? 0);
        const theirs = new tss.TPM2_ContextLoad_REQUEST(
          new tss.TPMS_CONTEXT(
            0,
            handle(value.savedHandle),
            handle(value.hierarchy),
            tssContextBlob(value.contextBlob.subarray(2, 2 + size), value.contextBlob.subarray(2 + size)),
          ),
        );
        expect(ours.slice(0, 16)).toBe(value.sequence.toString(16).padStart(16, '0'));
        expect(ours.slice(16)).toBe(theirs.toBytes().toString('hex').slice(16));
      }),
    );
    expect(commands.ContextLoad.code).toBe(tss.TPM_CC.ContextLoad);
  });
});

function tssContextBlob(integrity: Uint8Array, encrypted: Uint8Array): tss.TPMS_CONTEXT_DATA {
  return new tss.TPMS_CONTEXT_DATA(Buffer.from(integrity), Buffer.from(encrypted));
}
