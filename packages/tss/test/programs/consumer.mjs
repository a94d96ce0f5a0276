/**
 * What a user does with the package, given the address of a TPM: a quote that OpenSSL verifies, an NV read, two
 * commands in flight. Prints one line of JSON; ends with exit code 1 when anything is not as it should be.
 *
 * Plain JavaScript that imports the package by name only, so that it also runs in an empty project into which the
 * packed tarballs were installed:  node consumer.mjs swtpm+unix:///path
 */
import assert from 'node:assert/strict';
import { createPublicKey, randomBytes, verify } from 'node:crypto';
import {
  TPM2B_PUBLIC_KEY_RSA,
  TPMA_NV,
  TPMA_OBJECT,
  TPMS_NV_PUBLIC,
  TPMS_NULL_SIG_SCHEME,
  TPMS_PCR_SELECTION,
  TPMS_RSA_PARMS,
  TPMS_SENSITIVE_CREATE,
  TPMS_SIG_SCHEME_RSASSA,
  TPMT_PUBLIC,
  TPMT_SYM_DEF_OBJECT,
  TPM_ALG_ID,
  TPM_CAP,
  TPM_HANDLE,
  TPM_PT,
  createTss,
} from '@endorse/tss';

const tpm = await createTss({ tpm: process.argv[2], signal: AbortSignal.timeout(30_000) });
const report = {};
try {
  report.firmwareVersion = await quote();
  report.nv = await readNv();
  report.inFlight = await twoInFlight();
} finally {
  await tpm.close();
}
console.log(JSON.stringify(report));

/** A quote over PCR 16, whose signature OpenSSL verifies over the bytes the TPM signed. */
async function quote() {
  const nothing = Buffer.alloc(0);
  const attributes =
    TPMA_OBJECT.fixedTPM |
    TPMA_OBJECT.fixedParent |
    TPMA_OBJECT.sensitiveDataOrigin |
    TPMA_OBJECT.userWithAuth |
    TPMA_OBJECT.restricted |
    TPMA_OBJECT.sign;
  const template = new TPMT_PUBLIC(
    TPM_ALG_ID.SHA256,
    attributes,
    nothing,
    new TPMS_RSA_PARMS(
      new TPMT_SYM_DEF_OBJECT(TPM_ALG_ID.NULL, 0, TPM_ALG_ID.NULL),
      new TPMS_SIG_SCHEME_RSASSA(TPM_ALG_ID.SHA256),
      2048,
      0,
    ),
    new TPM2B_PUBLIC_KEY_RSA(),
  );
  const sensitive = new TPMS_SENSITIVE_CREATE(nothing, nothing);
  // Keys of the other hierarchies get firmware version and reset counts obfuscated (Part 1, 36.7).
  const key = await tpm.CreatePrimary(TPM_HANDLE.ENDORSEMENT, sensitive, template, nothing, []);
  try {
    const nonce = randomBytes(20);
    const pcrs = [new TPMS_PCR_SELECTION(TPM_ALG_ID.SHA256, Buffer.from([0, 0, 1]))];
    const { quoted, signature } = await tpm.Quote(key.handle, nonce, new TPMS_NULL_SIG_SCHEME(), pcrs);
    const publicKey = createPublicKey({
      key: { kty: 'RSA', n: key.outPublic.unique.buffer.toString('base64url'), e: 'AQAB' },
      format: 'jwk',
    });
    assert.ok(verify('sha256', quoted.receivedBytes, publicKey, signature.sig), 'the signature verifies');
    assert.deepEqual(quoted.toBytes(), quoted.receivedBytes);
    assert.deepEqual(quoted.extraData, nonce);

    const { capabilityData } = await tpm.GetCapability(TPM_CAP.TPM_PROPERTIES, TPM_PT.FIRMWARE_VERSION_1, 2);
    const [high, low] = capabilityData.tpmProperty.map(({ value }) => BigInt(value));
    assert.equal(quoted.firmwareVersion, (high << 32n) | low);
    assert.ok(quoted.firmwareVersion > 2n ** 32n);
    return String(quoted.firmwareVersion);
  } finally {
    await tpm.FlushContext(key.handle);
  }
}

/** An NV index, written and read back. */
async function readNv() {
  const index = TPM_HANDLE.NV(0x80_0042);
  const attributes = TPMA_NV.AUTHREAD | TPMA_NV.AUTHWRITE | TPMA_NV.NO_DA;
  const text = Buffer.from('held by the TPM');
  const area = new TPMS_NV_PUBLIC(index, TPM_ALG_ID.SHA256, attributes, Buffer.alloc(0), text.length);
  await tpm.NV_DefineSpace(TPM_HANDLE.OWNER, Buffer.alloc(0), area);
  try {
    await tpm.NV_Write(index, index, text, 0);
    const read = await tpm.NV_Read(index, index, text.length, 0);
    assert.deepEqual(read, text);
    return read.toString();
  } finally {
    await tpm.NV_UndefineSpace(TPM_HANDLE.OWNER, index);
  }
}

/** Two commands, the second called before the first is answered: as callbacks and as promises. */
async function twoInFlight() {
  const [short, long] = await Promise.all([tpm.GetRandom(4), tpm.GetRandom(16)]);
  const lengths = await new Promise((resolve, reject) => {
    const answers = [];
    const note = (error, bytes) => {
      if (error) reject(error);
      answers.push(bytes.length);
      if (answers.length === 2) resolve(answers);
    };
    tpm.GetRandom(4, note);
    tpm.GetRandom(16, note);
  });
  assert.deepEqual([short.length, long.length, ...lengths], [4, 16, 4, 16]);
  return lengths;
}
