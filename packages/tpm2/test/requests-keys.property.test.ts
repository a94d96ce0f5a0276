/** Oracle: the request classes of tss.js 2.0.0, byte for byte on random requests: the commands that make and move keys. */
import { commands } from '@endorse/tpm2';
import fc from 'fast-check';
import { describe } from 'vitest';
import { agrees } from './support/agreement.ts';
import { bytes, pcrSelections, publicArea, symmetric, u32 } from './support/arbitraries.ts';
import { tss, tssPcrSelections, tssPublic, tssSymmetric } from './support/tss.ts';

const digest = bytes(0, 64);
const name = bytes(0, 66);
const buffer = bytes(0, 200);
const handle = (value: number): tss.TPM_HANDLE => new tss.TPM_HANDLE(value);

const sensitiveCreate = fc.record({ userAuth: digest, data: buffer });
const create = {
  inSensitive: fc.option(sensitiveCreate, { nil: undefined }),
  inPublic: publicArea,
  outsideInfo: buffer,
  creationPcr: pcrSelections,
};

function tssSensitiveCreate(value?: { userAuth: Uint8Array; data: Uint8Array }): tss.TPMS_SENSITIVE_CREATE {
  return new tss.TPMS_SENSITIVE_CREATE(Buffer.from(value?.userAuth ?? []), Buffer.from(value?.data ?? []));
}

/** TPMS_ID_OBJECT in the class of tss.js: an HMAC with its size, and the rest. */
const idObject = fc.tuple(digest, bytes(0, 66)).map(([integrity, encrypted]) => {
  const theirs = new tss.TPMS_ID_OBJECT(Buffer.from(integrity), Buffer.from(encrypted));
  return new Uint8Array(theirs.toBytes());
});

function parseIdObject(inner: Uint8Array): tss.TPMS_ID_OBJECT {
  const size = ((inner[0] ?? 0) << 8) | (inner[1] ?? 0);
  return new tss.TPMS_ID_OBJECT(
    Buffer.from(inner.subarray(2, 2 + size)),
    Buffer.from(inner.subarray(2 + size)),
  );
}

describe('requests about keys', () => {
  agrees(
    commands.ReadPublic,
    fc.record({ objectHandle: u32 }),
    (r) => new tss.TPM2_ReadPublic_REQUEST(handle(r.objectHandle)),
  );
  agrees(
    commands.CreatePrimary,
    fc.record({ primaryHandle: u32, ...create }),
    (r) =>
      new tss.TPM2_CreatePrimary_REQUEST(
        handle(r.primaryHandle),
        tssSensitiveCreate(r.inSensitive),
        tssPublic(r.inPublic),
        Buffer.from(r.outsideInfo ?? []),
        tssPcrSelections(r.creationPcr ?? []),
      ),
  );
  agrees(
    commands.Create,
    fc.record({ parentHandle: u32, ...create }),
    (r) =>
      new tss.TPM2_Create_REQUEST(
        handle(r.parentHandle),
        tssSensitiveCreate(r.inSensitive),
        tssPublic(r.inPublic),
        Buffer.from(r.outsideInfo ?? []),
        tssPcrSelections(r.creationPcr ?? []),
      ),
  );
  agrees(
    commands.Load,
    fc.record({ parentHandle: u32, inPrivate: buffer, inPublic: publicArea }),
    (r) =>
      new tss.TPM2_Load_REQUEST(
        handle(r.parentHandle),
        new tss.TPM2B_PRIVATE(Buffer.from(r.inPrivate)),
        tssPublic(r.inPublic),
      ),
  );
  agrees(
    commands.ActivateCredential,
    fc.record({ activateHandle: u32, keyHandle: u32, credentialBlob: idObject, secret: buffer }),
    (r) =>
      new tss.TPM2_ActivateCredential_REQUEST(
        handle(r.activateHandle),
        handle(r.keyHandle),
        parseIdObject(r.credentialBlob),
        Buffer.from(r.secret),
      ),
  );
  agrees(
    commands.MakeCredential,
    fc.record({ handle: u32, credential: digest, objectName: name }),
    (r) =>
      new tss.TPM2_MakeCredential_REQUEST(
        handle(r.handle),
        Buffer.from(r.credential),
        Buffer.from(r.objectName),
      ),
  );
  agrees(
    commands.Import,
    fc.record({
      parentHandle: u32,
      encryptionKey: bytes(0, 32),
      objectPublic: publicArea,
      duplicate: buffer,
      inSymSeed: buffer,
      symmetricAlg: fc.option(symmetric),
    }),
    (r) =>
      new tss.TPM2_Import_REQUEST(
        handle(r.parentHandle),
        Buffer.from(r.encryptionKey),
        tssPublic(r.objectPublic),
        new tss.TPM2B_PRIVATE(Buffer.from(r.duplicate)),
        Buffer.from(r.inSymSeed),
        tssSymmetric(r.symmetricAlg),
      ),
  );
  agrees(
    commands.Duplicate,
    fc.record({
      objectHandle: u32,
      newParentHandle: u32,
      encryptionKeyIn: bytes(0, 32),
      symmetricAlg: fc.option(symmetric),
    }),
    (r) =>
      new tss.TPM2_Duplicate_REQUEST(
        handle(r.objectHandle),
        handle(r.newParentHandle),
        Buffer.from(r.encryptionKeyIn ?? []),
        tssSymmetric(r.symmetricAlg),
      ),
  );
});
