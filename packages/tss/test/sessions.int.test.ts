/** Defects 14 and 16 of tss.js 2.0.0: no HMAC sessions, and none at all on commands that authorise nothing. */
import { TpmResponseForgedError, openTpmDevice } from '@endorse/security-tpm';
import { readTpmSnapshot, startTpmSimulator } from '@endorse/tpm-simulator';
import {
  HmacSession,
  Session,
  TPM2B_DIGEST_KEYEDHASH,
  TPMA_NV,
  TPMA_OBJECT,
  TPMA_SESSION,
  TPMS_KEYEDHASH_PARMS,
  TPMS_NULL_SCHEME_KEYEDHASH,
  TPMS_NV_PUBLIC,
  TPMS_SENSITIVE_CREATE,
  TPMT_PUBLIC,
  TPMT_SYM_DEF,
  TPM_ALG_ID,
  TPM_HANDLE,
  TPM_SE,
  createTss,
  startHmacSession,
} from '@endorse/tss';
import type { Tpm } from '@endorse/tss';
import { describe, expect, it } from 'vitest';
import { asTssDevice, originalOver, startBench, wiretap } from './support/devices.ts';
import { eccStorageKey, noData } from './support/keys.ts';
import { original } from './support/original.ts';

const secret = Buffer.from('a secret that must not cross the bus in clear');
const password = Buffer.from('storage key password');
const storageRootKey = new TPM_HANDLE(0x8100_0001);

const { fixedTPM, fixedParent, userWithAuth, noDA } = TPMA_OBJECT;
const sealedTemplate = new TPMT_PUBLIC(
  TPM_ALG_ID.SHA256,
  fixedTPM | fixedParent | userWithAuth | noDA,
  noData,
  new TPMS_KEYEDHASH_PARMS(new TPMS_NULL_SCHEME_KEYEDHASH()),
  new TPM2B_DIGEST_KEYEDHASH(noData),
);

/** Seals the secret below a storage key and unseals it again; the sealed object itself has no password. */
async function sealAndUnseal(
  tpm: Tpm,
  parent: TPM_HANDLE,
  forParent: Session,
  forObject: Session = forParent,
): Promise<Buffer> {
  const sensitive = new TPMS_SENSITIVE_CREATE(noData, secret);
  const sealed = await tpm.withSession(forParent).Create(parent, sensitive, sealedTemplate, noData, []);
  const loaded = await tpm.withSession(forParent).Load(parent, sealed.outPrivate, sealed.outPublic);
  try {
    return await tpm.withSession(forObject).Unseal(loaded);
  } finally {
    await tpm.FlushContext(loaded);
  }
}

describe('defect 14: no HMAC sessions', () => {
  it('original: a session carries nothing but a handle, a nonce and a password', () => {
    expect(Object.keys(new original.Session()).toSorted()).toEqual(['SessIn', 'SessOut']);
  });

  it('mended: salted, signed and encrypted, nothing secret crosses the bus', async () => {
    await using simulator = await startTpmSimulator({ provisioned: true });
    const before = await readTpmSnapshot(simulator.address);
    const device = await wiretap(simulator.address);
    const tpm = await createTss({ tpm: device });
    const parent = await eccStorageKey(tpm, password);
    parent.handle.authValue = password;
    device.traffic.length = 0;
    const session = await startHmacSession(tpm, { saltKey: storageRootKey });
    expect(await sealAndUnseal(tpm, parent.handle, session)).toEqual(secret);
    const wire = Buffer.concat(device.traffic);
    expect(wire.includes(secret)).toBe(false);
    expect(wire.includes(password)).toBe(false);
    await tpm.FlushContext(session.handle);
    await tpm.FlushContext(parent.handle);
    await tpm.close();
    await device.close();
    expect(await readTpmSnapshot(simulator.address)).toEqual(before);
  });

  it('without one the same secrets are there to read', async () => {
    await using simulator = await startTpmSimulator();
    const device = await wiretap(simulator.address);
    const tpm = await createTss({ tpm: device });
    const parent = await eccStorageKey(tpm, password);
    expect(await sealAndUnseal(tpm, parent.handle, Session.Pw(password), Session.Pw())).toEqual(secret);
    const wire = Buffer.concat(device.traffic);
    expect(wire.includes(secret)).toBe(true);
    expect(wire.includes(password)).toBe(true);
    await tpm.close();
    await device.close();
  });

  it('mended: works for ever, on hierarchies and NV indices too', async () => {
    await using bench = await startBench({ provisioned: true });
    const { tpm } = bench;
    const session = await startHmacSession(tpm, { saltKey: storageRootKey });
    const index = TPM_HANDLE.NV(0x80_0042);
    index.authValue = password;
    const attributes = TPMA_NV.AUTHREAD | TPMA_NV.AUTHWRITE | TPMA_NV.NO_DA;
    const area = new TPMS_NV_PUBLIC(index, TPM_ALG_ID.SHA256, attributes, noData, secret.length);
    await tpm.withSession(session).NV_DefineSpace(TPM_HANDLE.OWNER, password, area);
    for (let round = 0; round < 3; round += 1) {
      await tpm.withSession(session).NV_Write(index, index, secret, 0);
      expect(await tpm.withSession(session).NV_Read(index, index, secret.length, 0)).toEqual(secret);
    }
    index.authValue = Buffer.from('wrong');
    await expect(tpm.withSession(session).NV_Read(index, index, 1, 0)).rejects.toMatchObject({
      code: 'ERR_TPM_BAD_AUTH',
      decoded: { subject: { kind: 'session', number: 1 } },
    });
    await tpm.FlushContext(session.handle);
  });

  it('mended: an altered response is noticed', async () => {
    await using simulator = await startTpmSimulator({ provisioned: true });
    let alter = false;
    const device = await wiretap(simulator.address, (response) => {
      if (alter) response.writeUInt8((response.at(20) ?? 0) ^ 1, 20);
      return response;
    });
    const tpm = await createTss({ tpm: device });
    const session = await startHmacSession(tpm, { saltKey: storageRootKey });
    alter = true;
    await expect(tpm.withSession(session).GetRandom(16)).rejects.toBeInstanceOf(TpmResponseForgedError);
    await tpm.close();
    await device.close();
  });

  it('mended: a salt key that is not the pinned one is refused', async () => {
    await using bench = await startBench({ provisioned: true });
    const pinned = new TPM_HANDLE(storageRootKey.handle);
    pinned.name = Buffer.alloc(34, 7);
    await expect(startHmacSession(bench.tpm, { saltKey: pinned })).rejects.toMatchObject({
      code: 'ERR_TPM_NAME_MISMATCH',
    });
    const { name } = await bench.tpm.ReadPublic(storageRootKey);
    pinned.name = name;
    const session = await startHmacSession(bench.tpm, { saltKey: pinned });
    expect(session).toBeInstanceOf(HmacSession);
    await bench.tpm.FlushContext(session.handle);
  });

  it('mended: a session that is not continued ends with its command', async () => {
    await using bench = await startBench({ provisioned: true });
    const session = await startHmacSession(bench.tpm, { saltKey: storageRootKey });
    session.SessIn.sessionAttributes = 0;
    await bench.tpm.withSession(session).GetRandom(4);
    await expect(bench.tpm.FlushContext(session.handle)).rejects.toMatchObject({ code: 'ERR_TPM_HANDLE' });
  });
});

describe('defect 16: sessions on commands that authorise nothing', () => {
  it('original: the session is dropped, the response comes in clear', async () => {
    await using simulator = await startTpmSimulator();
    const device = await openTpmDevice(simulator.address);
    const sent: Buffer[] = [];
    const through = asTssDevice(device);
    const tpm = originalOver({
      ...through,
      dispatchCommand: (command, continuation) => {
        sent.push(Buffer.from(command));
        through.dispatchCommand(command, continuation);
      },
    });
    await new Promise((resolve) => {
      tpm.withSession(new original.Session(new original.TPM_HANDLE(0x0200_0000))).GetRandom(4, resolve);
    });
    expect(sent[0]?.readUInt16BE()).toBe(0x8001);
    await device.close();
  });

  it('mended: the session is used, the response comes encrypted', async () => {
    await using simulator = await startTpmSimulator({ provisioned: true });
    const device = await wiretap(simulator.address);
    const tpm = await createTss({ tpm: device });
    const session = await startHmacSession(tpm, { saltKey: storageRootKey });
    device.traffic.length = 0;
    const bytes = await tpm.withSession(session).GetRandom(32);
    const [command, response] = device.traffic;
    expect(bytes).toHaveLength(32);
    expect(command?.readUInt16BE()).toBe(0x8002);
    expect(response?.length).toBeGreaterThan(32);
    expect(response?.includes(bytes)).toBe(false);
    await tpm.FlushContext(session.handle);
    await tpm.close();
    await device.close();
  });
});

describe('sessions as tss.js has them', () => {
  it('a password, in a session or with the handle', async () => {
    await using bench = await startBench();
    const { tpm } = bench;
    const { handle } = await eccStorageKey(tpm, password);
    expect(await sealAndUnseal(tpm, handle, Session.Pw(password), Session.Pw())).toEqual(secret);
    handle.authValue = password;
    const sensitive = new TPMS_SENSITIVE_CREATE(noData, secret);
    const created = await tpm.Create(handle, sensitive, sealedTemplate, noData, []);
    expect(created.outPublic.nameAlg).toBe(TPM_ALG_ID.SHA256);
    handle.authValue = Buffer.from('wrong');
    await expect(tpm.Create(handle, sensitive, sealedTemplate, noData, [])).rejects.toMatchObject({
      code: 'ERR_TPM_BAD_AUTH',
    });
  });

  it.each([
    ['policy', TPM_SE.POLICY],
    ['HMAC', TPM_SE.HMAC],
  ])('a %s session started by hand', async (_kind, type) => {
    await using bench = await startBench();
    const { tpm } = bench;
    const { AES, CFB, SHA256 } = TPM_ALG_ID;
    const none = TPM_HANDLE.NULL;
    const symmetric = new TPMT_SYM_DEF(AES, 128, CFB);
    const started = await tpm.StartAuthSession(
      none,
      none,
      Buffer.alloc(32, 1),
      noData,
      type,
      symmetric,
      SHA256,
    );
    const session = new Session(started.handle, started.nonceTPM);
    if (type === TPM_SE.HMAC) {
      // Twice: the second time only works when the TPM's new nonce was noted.
      await tpm.withSession(session).HierarchyChangeAuth(TPM_HANDLE.OWNER, noData);
      await tpm.withSession(session).HierarchyChangeAuth(TPM_HANDLE.OWNER, noData);
    } else {
      await tpm.PolicySecret(TPM_HANDLE.ENDORSEMENT, started.handle, noData, noData, noData, 0);
      expect((await tpm.PolicyGetDigest(started.handle)).toString('hex')).toBe(
        '837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa',
      );
    }
    await tpm.FlushContext(started.handle);
  });

  it('more than three are refused, and one that asks for what only startHmacSession() gives', async () => {
    await using bench = await startBench();
    const { tpm } = bench;
    const session = Session.Pw();
    expect(() => tpm.withSessions(session, session, session, session)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }) as Error,
    );
    const encrypting = new Session(new TPM_HANDLE(0x0200_0000), noData, TPMA_SESSION.encrypt);
    await expect(tpm.withSession(encrypting).GetRandom(4)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringContaining('startHmacSession') as string,
    });
  });
});
