/**
 * Oracle: the response classes of tss.js 2.0.0. What they write for random values must decode to those values.
 */
import type { Command, CreationData, RequestOf, ResponseOf, Ticket } from '@endorse/tpm2';
import { commands, decodeResponse } from '@endorse/tpm2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bytes,
  hash,
  nvPublic,
  pcrSelections,
  publicArea,
  u16,
  u32,
  u64,
  u8,
} from './support/arbitraries.ts';
import { hex } from './support/bytes.ts';
import type { RespStructure } from './support/tss.ts';
import { tss, tssHash, tssNvPublic, tssPcrSelections, tssPublic } from './support/tss.ts';

const digest = bytes(0, 64);
const name = bytes(0, 66);
const buffer = bytes(0, 200);
const buf = (value: Uint8Array): Buffer => Buffer.from(value);
const handle = (value: number): tss.TPM_HANDLE => new tss.TPM_HANDLE(value);

const creationData: fc.Arbitrary<CreationData> = fc.record({
  pcrSelect: pcrSelections,
  pcrDigest: digest,
  locality: u8,
  parentNameAlg: fc.option(hash),
  parentName: name,
  parentQualifiedName: name,
  outsideInfo: buffer,
});

function tssCreationData(value: CreationData): tss.TPMS_CREATION_DATA {
  return new tss.TPMS_CREATION_DATA(
    tssPcrSelections(value.pcrSelect),
    buf(value.pcrDigest),
    value.locality,
    tssHash(value.parentNameAlg),
    buf(value.parentName),
    buf(value.parentQualifiedName),
    buf(value.outsideInfo),
  );
}

function ticket(kind: Ticket['kind']): fc.Arbitrary<Ticket> {
  return fc.record({ kind: fc.constant(kind), hierarchy: u32, digest });
}

function tssPrivate(value: Uint8Array): tss.TPM2B_PRIVATE {
  return new tss.TPM2B_PRIVATE(buf(value));
}

/** Wraps parameters into a frame, with as many empty authorizations as sessions were sent. */
function frameOf(command: Command<never, unknown>, theirs: RespStructure, sessions: number): Uint8Array {
  const parameters = theirs.toBytes();
  const handles = Buffer.alloc(4 * command.responseHandleCount);
  if (command.responseHandleCount === 1) handles.writeUInt32BE(theirs.getHandle().handle >>> 0);
  const size = Buffer.alloc(sessions > 0 ? 4 : 0);
  if (sessions > 0) size.writeUInt32BE(parameters.byteLength);
  const body = Buffer.concat([handles, size, parameters, Buffer.alloc(5 * sessions)]);
  const header = Buffer.alloc(10);
  header.writeUInt16BE(sessions > 0 ? 0x8002 : 0x8001);
  header.writeUInt32BE(10 + body.byteLength, 2);
  return Buffer.concat([header, body]);
}

function agrees<C extends Command<never, unknown>>(
  command: C & Command<RequestOf<C>, ResponseOf<C>>,
  responses: fc.Arbitrary<ResponseOf<C>>,
  toTss: (response: ResponseOf<C>) => RespStructure,
): void {
  it(`${command.name} is read as tss.js wrote it`, () => {
    fc.assert(
      fc.property(responses, fc.integer({ min: 0, max: 3 }), (response, sessions) => {
        const theirs = toTss(response);
        const frame = decodeResponse(command, frameOf(command, theirs, sessions), sessions);
        expect(command.decodeResponse(frame.handles, frame.parameters)).toEqual(response);
        expect(frame.authorizations).toHaveLength(sessions);
        if (!unmarkedByTss.includes(command.name)) {
          expect(command.firstResponseParameterIsTpm2b).toBe(theirs.sessEncInfo().sizeLen === 2);
        }
      }),
      { numRuns: 60 },
    );
  });
}

type CapabilityData = ResponseOf<typeof commands.GetCapability>['capabilityData'];

/** {@link agrees} for one kind of capability. */
function agreesOnCapability<Data extends CapabilityData>(
  data: fc.Arbitrary<Data>,
  toTss: (data: Data) => tss.TPMU_CAPABILITIES,
): void {
  agrees(
    commands.GetCapability,
    fc.record({ moreData: fc.boolean(), capabilityData: data }),
    ({ moreData, capabilityData }) =>
      // What is given is what `data` made.
      new tss.GetCapabilityResponse(moreData ? 1 : 0, toTss(capabilityData as Data)),
  );
}

/** tss.js does not mark TPM2B_PRIVATE as something a session can encrypt. */
const unmarkedByTss: readonly string[] = ['Create', 'Import'];

describe('responses', () => {
  agrees(
    commands.GetTestResult,
    fc.record({ outData: buffer, testResult: u32 }),
    (r) => new tss.GetTestResultResponse(buf(r.outData), r.testResult),
  );
  agrees(
    commands.GetRandom,
    fc.record({ randomBytes: digest }),
    (r) => new tss.GetRandomResponse(buf(r.randomBytes)),
  );
  agrees(
    commands.ReadPublic,
    fc.record({ outPublic: publicArea, name, qualifiedName: name }),
    (r) => new tss.ReadPublicResponse(tssPublic(r.outPublic), buf(r.name), buf(r.qualifiedName)),
  );
  agrees(
    commands.CreatePrimary,
    fc.record({
      objectHandle: u32,
      outPublic: publicArea,
      creationData,
      creationHash: digest,
      creationTicket: ticket('creation'),
      name,
    }),
    (r) =>
      new tss.CreatePrimaryResponse(
        handle(r.objectHandle),
        tssPublic(r.outPublic),
        tssCreationData(r.creationData),
        buf(r.creationHash),
        new tss.TPMT_TK_CREATION(handle(r.creationTicket.hierarchy), buf(r.creationTicket.digest)),
        buf(r.name),
      ),
  );
  agrees(
    commands.Create,
    fc.record({
      outPrivate: buffer,
      outPublic: publicArea,
      creationData,
      creationHash: digest,
      creationTicket: ticket('creation'),
    }),
    (r) =>
      new tss.CreateResponse(
        tssPrivate(r.outPrivate),
        tssPublic(r.outPublic),
        tssCreationData(r.creationData),
        buf(r.creationHash),
        new tss.TPMT_TK_CREATION(handle(r.creationTicket.hierarchy), buf(r.creationTicket.digest)),
      ),
  );
  agrees(
    commands.Load,
    fc.record({ objectHandle: u32, name }),
    (r) => new tss.LoadResponse(handle(r.objectHandle), buf(r.name)),
  );
  agrees(
    commands.ContextLoad,
    fc.record({ loadedHandle: u32 }),
    (r) => new tss.ContextLoadResponse(handle(r.loadedHandle)),
  );
  agrees(
    commands.StartAuthSession,
    fc.record({ sessionHandle: u32, nonceTpm: digest }),
    (r) => new tss.StartAuthSessionResponse(handle(r.sessionHandle), buf(r.nonceTpm)),
  );
  agrees(
    commands.PolicySecret,
    fc.record({ timeout: digest, policyTicket: fc.oneof(ticket('authSecret'), ticket('authSigned')) }),
    (r) =>
      new tss.PolicySecretResponse(
        buf(r.timeout),
        new tss.TPMT_TK_AUTH(
          r.policyTicket.kind === 'authSecret' ? tss.TPM_ST.AUTH_SECRET : tss.TPM_ST.AUTH_SIGNED,
          handle(r.policyTicket.hierarchy),
          buf(r.policyTicket.digest),
        ),
      ),
  );
  agrees(
    commands.PolicyGetDigest,
    fc.record({ policyDigest: digest }),
    (r) => new tss.PolicyGetDigestResponse(buf(r.policyDigest)),
  );
  agrees(
    commands.ActivateCredential,
    fc.record({ certInfo: digest }),
    (r) => new tss.ActivateCredentialResponse(buf(r.certInfo)),
  );
  agrees(
    commands.Import,
    fc.record({ outPrivate: buffer }),
    (r) => new tss.ImportResponse(tssPrivate(r.outPrivate)),
  );
  agrees(
    commands.Duplicate,
    fc.record({ encryptionKeyOut: bytes(0, 32), duplicate: buffer, outSymSeed: buffer }),
    (r) => new tss.DuplicateResponse(buf(r.encryptionKeyOut), tssPrivate(r.duplicate), buf(r.outSymSeed)),
  );
  agrees(commands.HMAC, fc.record({ outHmac: digest }), (r) => new tss.HMACResponse(buf(r.outHmac)));
  agrees(
    commands.HMAC_Start,
    fc.record({ sequenceHandle: u32 }),
    (r) => new tss.HMAC_StartResponse(handle(r.sequenceHandle)),
  );
  agrees(
    commands.SequenceComplete,
    fc.record({ result: digest, validation: ticket('hashCheck') }),
    (r) =>
      new tss.SequenceCompleteResponse(
        buf(r.result),
        new tss.TPMT_TK_HASHCHECK(handle(r.validation.hierarchy), buf(r.validation.digest)),
      ),
  );
  agrees(
    commands.NV_ReadPublic,
    fc.record({ nvPublic, nvName: name }),
    (r) => new tss.NV_ReadPublicResponse(tssNvPublic(r.nvPublic), buf(r.nvName)),
  );
  agrees(commands.NV_Read, fc.record({ data: buffer }), (r) => new tss.NV_ReadResponse(buf(r.data)));
  agreesOnCapability(
    fc.record({
      kind: fc.constant('tpmProperties' as const),
      properties: fc.array(fc.record({ property: u32, value: u32 }), { maxLength: 20 }),
    }),
    ({ properties }) =>
      new tss.TPML_TAGGED_TPM_PROPERTY(
        properties.map((p) => new tss.TPMS_TAGGED_PROPERTY(p.property, p.value)),
      ),
  );
  agreesOnCapability(
    fc.record({ kind: fc.constant('handles' as const), handles: fc.array(u32, { maxLength: 20 }) }),
    ({ handles }) => new tss.TPML_HANDLE(handles.map(handle)),
  );
  agreesOnCapability(
    fc.record({
      kind: fc.constant('algorithms' as const),
      algorithms: fc.array(fc.record({ algorithm: u16, attributes: u32 }), { maxLength: 20 }),
    }),
    ({ algorithms }) =>
      new tss.TPML_ALG_PROPERTY(algorithms.map((a) => new tss.TPMS_ALG_PROPERTY(a.algorithm, a.attributes))),
  );
  agreesOnCapability(
    fc.record({ kind: fc.constant('eccCurves' as const), curves: fc.array(u16, { maxLength: 20 }) }),
    ({ curves }) => new tss.TPML_ECC_CURVE([...curves]),
  );

  it('ContextSave is read to the last bit of its 64-bit sequence, which tss.js cannot read', () => {
    const parts = fc.tuple(u64, u32, u32, digest, buffer);
    fc.assert(
      fc.property(parts, ([sequence, savedHandle, hierarchy, integrity, encrypted]) => {
        const blob = new tss.TPMS_CONTEXT_DATA(buf(integrity), buf(encrypted));
        const theirs = new tss.ContextSaveResponse(
          new tss.TPMS_CONTEXT(0, handle(savedHandle), handle(hierarchy), blob),
        ).toBytes();
        theirs.writeBigUInt64BE(sequence);
        expect(commands.ContextSave.decodeResponse([], theirs)).toEqual({
          context: { sequence, savedHandle, hierarchy, contextBlob: new Uint8Array(blob.toBytes()) },
        });
      }),
    );
  });

  it('SequenceComplete refuses a ticket of another kind', () => {
    const answer = (ticketBytes: Buffer): Buffer => Buffer.concat([hex('0000'), ticketBytes]);
    const hashCheck = new tss.TPMT_TK_HASHCHECK(handle(1), buf(hex(''))).toBytes();
    const creation = new tss.TPMT_TK_CREATION(handle(1), buf(hex(''))).toBytes();
    expect(commands.SequenceComplete.decodeResponse([], answer(hashCheck)).validation.kind).toBe('hashCheck');
    expect(() => commands.SequenceComplete.decodeResponse([], answer(creation))).toThrow(
      expect.objectContaining({ path: 'SequenceComplete response.validation.tag' }),
    );
  });

  it('MakeCredential gives the inner bytes of both TPM2B', () => {
    fc.assert(
      fc.property(digest, buffer, buffer, (integrity, encrypted, secret) => {
        const idObject = new tss.TPMS_ID_OBJECT(buf(integrity), buf(encrypted));
        const theirs = new tss.MakeCredentialResponse(idObject, buf(secret)).toBytes();
        expect(commands.MakeCredential.decodeResponse([], theirs)).toEqual({
          credentialBlob: new Uint8Array(idObject.toBytes()),
          secret,
        });
      }),
    );
  });

  it.each([
    commands.Startup,
    commands.Shutdown,
    commands.SelfTest,
    commands.EvictControl,
    commands.FlushContext,
    commands.PolicyCommandCode,
    commands.SequenceUpdate,
    commands.NV_DefineSpace,
    commands.NV_UndefineSpace,
    commands.NV_Write,
    commands.HierarchyChangeAuth,
    commands.Clear,
    commands.DictionaryAttackLockReset,
  ])('$name has nothing in its answer', (command) => {
    expect(command.decodeResponse([], hex(''))).toEqual({});
    expect(() => command.decodeResponse([], hex('00'))).toThrow(
      expect.objectContaining({ code: 'ERR_TPM_MALFORMED' }),
    );
  });
});
