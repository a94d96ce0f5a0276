/** Oracle: tpm2-tools on swtpm, in both directions: what we make it opens, what it makes we open. */
import { createHmac, randomBytes } from 'node:crypto';
import type { PublicArea } from '@endorse/tpm2';
import {
  activateCredentialSoftware,
  commands,
  computeName,
  decodeTpm2bPublic,
  duplicateHmacKey,
  encodeTpm2bPublic,
  handles,
  importDuplicateSoftware,
  makeCredential,
  rh,
  templates,
} from '@endorse/tpm2';
import type { TpmSimulator } from '@endorse/tpm-simulator';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { describe, expect, it } from 'vitest';
import { toHex } from './support/bytes.ts';
import { eccKeys, rsaKeys } from './support/keys.ts';
import { endorsementPolicySession, openTpm, password } from './support/tpm.ts';
import { openTools } from './support/tpm2-tools.ts';

const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };
const kinds = ['tcg', 'ecc'] as const;
const endorsementHandle = `0x${handles.endorsementKey.toString(16)}`;
const storageHandle = `0x${handles.storageRootKey.toString(16)}`;
const sha256 = 32;

function sized(bytes: Uint8Array): Buffer {
  const size = Buffer.alloc(2);
  size.writeUInt16BE(bytes.byteLength);
  return Buffer.concat([size, bytes]);
}

/** The tools' credential file: a magic number, version 1, TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET. */
const credentialMagic = Buffer.from('badcc0de00000001', 'hex');

function parseCredential(file: Uint8Array): { idObject: Uint8Array; encryptedSecret: Uint8Array } {
  expect(toHex(file.subarray(0, 8))).toBe(credentialMagic.toString('hex'));
  const view = new DataView(file.buffer, file.byteOffset);
  const end = 10 + view.getUint16(8);
  expect(view.getUint16(end)).toBe(file.byteLength - end - 2);
  return { idObject: file.slice(10, end), encryptedSecret: file.slice(end + 2) };
}

/** Persists EK and SRK of a kind, and gives their public areas. */
async function persistKeys(
  simulator: TpmSimulator,
  kind: 'tcg' | 'ecc',
): Promise<{ endorsementKey: PublicArea; storageRootKey: PublicArea }> {
  await using tpm = await openTpm(simulator.address);
  const persist = async (
    hierarchy: number,
    inPublic: PublicArea,
    persistentHandle: number,
  ): Promise<PublicArea> => {
    const key = await tpm.execute(commands.CreatePrimary, { primaryHandle: hierarchy, inPublic }, [password]);
    const { objectHandle } = key;
    await tpm.execute(commands.EvictControl, { auth: rh.owner, objectHandle, persistentHandle }, [password]);
    await tpm.execute(commands.FlushContext, { flushHandle: objectHandle });
    return key.outPublic;
  };
  const { endorsementKey, storageRootKey } = templates[kind];
  return {
    endorsementKey: await persist(rh.endorsement, endorsementKey, handles.endorsementKey),
    storageRootKey: await persist(rh.owner, storageRootKey, handles.storageRootKey),
  };
}

describe.each(kinds)('credentials (%s)', (kind) => {
  it('that we make are activated by tpm2_activatecredential', async () => {
    await using simulator = await startTpmSimulator();
    await using tools = await openTools(simulator.tcti);
    const keys = await persistKeys(simulator, kind);
    const secret = random.bytes(sha256);
    const { idObject, encryptedSecret } = makeCredential({
      endorsementKey: keys.endorsementKey,
      objectName: computeName(keys.storageRootKey),
      credential: secret,
      random,
    });
    await tools.write(
      'credential',
      Buffer.concat([credentialMagic, sized(idObject), sized(encryptedSecret)]),
    );
    await tools.tool('startauthsession', '--policy-session', '-S', 'session');
    await tools.tool('policysecret', '-S', 'session', '-c', 'e');
    const inputs = ['-c', storageHandle, '-C', endorsementHandle, '-i', 'credential', '-o', 'secret'];
    await tools.tool('activatecredential', ...inputs, '-P', 'session:session');
    expect(await tools.read('secret')).toEqual(secret);
  });

  it('that tpm2_makecredential makes in software are activated by a TPM through our commands', async () => {
    await using simulator = await startTpmSimulator();
    await using tools = await openTools(simulator.tcti);
    const keys = await persistKeys(simulator, kind);
    const secret = random.bytes(sha256);
    await tools.write('ek', encodeTpm2bPublic(keys.endorsementKey));
    await tools.write('secret', secret);
    const name = toHex(computeName(keys.storageRootKey));
    await tools.tool(
      'makecredential',
      '-T',
      'none',
      '-u',
      'ek',
      '-s',
      'secret',
      '-n',
      name,
      '-o',
      'credential',
    );
    const { idObject, encryptedSecret } = parseCredential(await tools.read('credential'));
    await using tpm = await openTpm(simulator.address);
    const request = {
      activateHandle: handles.storageRootKey,
      keyHandle: handles.endorsementKey,
      credentialBlob: idObject,
      secret: encryptedSecret,
    };
    const policy = await endorsementPolicySession(tpm);
    const { certInfo } = await tpm.execute(commands.ActivateCredential, request, [password, policy]);
    expect(certInfo).toEqual(secret);
  });

  it('that a TPM makes for tpm2_makecredential are activated by the software counterpart', async () => {
    await using simulator = await startTpmSimulator();
    await using tools = await openTools(simulator.tcti);
    const { endorsementKey, storageRootKey } = kind === 'tcg' ? rsaKeys() : eccKeys();
    const secret = random.bytes(sha256);
    await tools.write('ek', encodeTpm2bPublic(endorsementKey.area));
    await tools.write('secret', secret);
    const objectName = computeName(storageRootKey.area);
    const inputs = ['-u', 'ek', '-s', 'secret', '-n', toHex(objectName), '-o', 'credential'];
    await tools.tool('makecredential', ...inputs);
    const credential = parseCredential(await tools.read('credential'));
    const { area, privateKey } = endorsementKey;
    const options = { endorsementKey: area, privateKey, objectName, ...credential };
    expect(activateCredentialSoftware(options)).toEqual(secret);
  });
});

describe.each(kinds)('duplicates (%s)', (kind) => {
  const data = Buffer.from('what is signed');

  it('that we make are imported, loaded and used by tpm2-tools', async () => {
    await using simulator = await startTpmSimulator();
    await using tools = await openTools(simulator.tcti);
    const keys = await persistKeys(simulator, kind);
    const [key, innerKey] = [random.bytes(32), random.bytes(16)];
    const wrapped = duplicateHmacKey({ parent: keys.storageRootKey, key, innerKey, random });
    await tools.write('public', sized(wrapped.publicBytes));
    await tools.write('duplicate', sized(wrapped.duplicate));
    await tools.write('seed', sized(wrapped.encryptedSeed));
    await tools.write('inner', innerKey);
    await tools.write('data', data);
    const inputs = ['-u', 'public', '-i', 'duplicate', '-s', 'seed', '-k', 'inner'];
    await tools.tool('import', '-C', storageHandle, ...inputs, '-r', 'private');
    await tools.tool('load', '-C', storageHandle, '-u', 'public', '-r', 'private', '-c', 'key', '-n', 'name');
    expect(await tools.read('name')).toEqual(wrapped.name);
    await tools.tool('hmac', '-c', 'key', '-o', 'hmac', 'data');
    expect(toHex(await tools.read('hmac'))).toBe(createHmac('sha256', key).update(data).digest('hex'));
  });

  it('that tpm2_duplicate makes for a software parent are opened by the software counterpart', async () => {
    await using simulator = await startTpmSimulator();
    await using tools = await openTools(simulator.tcti);
    const { storageRootKey: parent } = kind === 'tcg' ? rsaKeys() : eccKeys();
    const made = await duplicateWithTools(tools, simulator, kind, parent.area);
    const sensitive = importDuplicateSoftware({
      parent: parent.area,
      privateKey: parent.privateKey,
      publicArea: made.publicArea,
      innerKey: made.innerKey,
      duplicate: made.duplicate,
      encryptedSeed: made.encryptedSeed,
    });
    // The key was made inside the TPM: only its HMAC tells that this is the one.
    expect(createHmac('sha256', sensitive.sensitive).update(data).digest('hex')).toBe(made.hmacOf(data));
  });

  it('that tpm2_duplicate makes for a TPM are imported by it through our commands', async () => {
    await using simulator = await startTpmSimulator();
    await using target = await startTpmSimulator();
    await using tools = await openTools(simulator.tcti);
    const { storageRootKey } = await persistKeys(target, kind);
    const made = await duplicateWithTools(tools, simulator, kind, storageRootKey);
    await using tpm = await openTpm(target.address);
    const parentHandle = handles.storageRootKey;
    const { outPrivate } = await tpm.execute(
      commands.Import,
      {
        parentHandle,
        encryptionKey: made.innerKey,
        objectPublic: made.publicArea,
        duplicate: made.duplicate,
        inSymSeed: made.encryptedSeed,
        symmetricAlg: { algorithm: 'aes', keyBits: 128, mode: 'cfb' },
      },
      [password],
    );
    const loaded = await tpm.execute(
      commands.Load,
      { parentHandle, inPrivate: outPrivate, inPublic: made.publicArea },
      [password],
    );
    const request = { handle: loaded.objectHandle, buffer: data, hashAlg: null };
    const { outHmac } = await tpm.execute(commands.HMAC, request, [password]);
    expect(toHex(outHmac)).toBe(made.hmacOf(data));
  });

  /** Makes an HMAC key in the TPM, uses it once, and duplicates it for a parent, with an inner key the TPM chooses. */
  async function duplicateWithTools(
    tools: Awaited<ReturnType<typeof openTools>>,
    simulator: TpmSimulator,
    storage: 'tcg' | 'ecc',
    newParent: PublicArea,
  ): Promise<{
    publicArea: PublicArea;
    innerKey: Uint8Array;
    duplicate: Uint8Array;
    encryptedSeed: Uint8Array;
    hmacOf: (signed: Buffer) => string;
  }> {
    await persistKeys(simulator, storage);
    await tools.write('parent', encodeTpm2bPublic(newParent));
    await tools.write('data', data);
    await tools.tool('startauthsession', '-S', 'trial');
    await tools.tool('policycommandcode', '-S', 'trial', '-L', 'policy', 'TPM2_CC_Duplicate');
    await tools.tool('flushcontext', 'trial');
    // Without noDA, the first use of a key after start-up answers RETRY once on libtpms 0.9.
    const attributes = 'sign|userwithauth|sensitivedataorigin|noda';
    const create = ['-C', storageHandle, '-G', 'hmac', '-g', 'sha256', '-a', attributes, '-L', 'policy'];
    await tools.tool('create', ...create, '-u', 'public', '-r', 'private');
    await tools.tool('load', '-C', storageHandle, '-u', 'public', '-r', 'private', '-c', 'key');
    await tools.tool('hmac', '-c', 'key', '-o', 'hmac', 'data');
    // Without a resource manager every tool leaves what it loaded behind, and a TPM has three slots.
    await tools.tool('flushcontext', '-t');
    await tools.tool('loadexternal', '-u', 'parent', '-c', 'parent.context', '-C', 'n');
    await tools.tool('flushcontext', '-t');
    await tools.tool('startauthsession', '--policy-session', '-S', 'session');
    await tools.tool('policycommandcode', '-S', 'session', 'TPM2_CC_Duplicate');
    const outputs = ['-r', 'duplicate', '-s', 'seed', '-o', 'inner'];
    await tools.tool(
      'duplicate',
      '-C',
      'parent.context',
      '-c',
      'key',
      '-G',
      'aes',
      '-p',
      'session:session',
      ...outputs,
    );
    const hmac = toHex(await tools.read('hmac'));
    return {
      publicArea: decodeTpm2bPublic(await tools.read('public')),
      innerKey: await tools.read('inner'),
      duplicate: (await tools.read('duplicate')).slice(2),
      encryptedSeed: (await tools.read('seed')).slice(2),
      hmacOf: (signed) => (signed === data ? hmac : ''),
    };
  }
});
