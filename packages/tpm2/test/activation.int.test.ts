/** Oracle: swtpm, a TPM 2.0 implementation on libtpms. */
import { createHmac, randomBytes } from 'node:crypto';
import {
  commands,
  computeName,
  createActivation,
  decodePublic,
  makeCredential,
  rh,
  templates,
} from '@endorse/tpm2';
import type { Duplicate, EccPublic, KeyedHashPublic, PublicArea, Sensitive } from '@endorse/tpm2';
import { TpmError, duplicateObject, hmacKeyAttributes, importDuplicateSoftware } from '@endorse/tpm2';
import { eccKey } from './support/keys.ts';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { describe, expect, it } from 'vitest';
import { flipBit, hex } from './support/bytes.ts';
import type { Tpm } from './support/tpm.ts';
import { endorsementPolicySession, openTpm, password, primary } from './support/tpm.ts';

const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };

describe('activations that we make', () => {
  it.each([
    ['RSA', templates.tcg.endorsementKey, templates.tcg.storageRootKey, 128],
    ['RSA, AES-256 inside', templates.tcg.endorsementKey, templates.tcg.storageRootKey, 256],
    ['ECC', templates.ecc.endorsementKey, templates.ecc.storageRootKey, 128],
    [
      'an RSA endorsement key and an ECC storage root key',
      templates.tcg.endorsementKey,
      templates.ecc.storageRootKey,
      128,
    ],
  ] as const)(
    'are loaded and give the right HMAC: %s',
    async (_name, ekTemplate, srkTemplate, innerKeyBits) => {
      await using simulator = await startTpmSimulator();
      await using tpm = await openTpm(simulator.address);
      const endorsementKey = await primary(tpm, rh.endorsement, ekTemplate);
      const storageRootKey = await primary(tpm, rh.owner, srkTemplate);
      const key = randomBytes(32);
      const parts = createActivation({
        endorsementKey: endorsementKey.outPublic,
        storageRootKey: storageRootKey.outPublic,
        key,
        random,
        innerKeyBits,
      });
      const policy = await endorsementPolicySession(tpm);
      const { certInfo } = await tpm.execute(
        commands.ActivateCredential,
        {
          activateHandle: storageRootKey.objectHandle,
          keyHandle: endorsementKey.objectHandle,
          credentialBlob: parts.idObject,
          secret: parts.encryptedSecret,
        },
        [password, policy],
      );
      const objectPublic = decodePublic(parts.publicArea);
      const { outPrivate } = await tpm.execute(
        commands.Import,
        {
          parentHandle: storageRootKey.objectHandle,
          encryptionKey: certInfo,
          objectPublic,
          duplicate: parts.duplicate,
          inSymSeed: parts.encryptedSeed,
          symmetricAlg: { algorithm: 'aes', keyBits: certInfo.length * 8, mode: 'cfb' },
        },
        [password],
      );
      await tpm.execute(commands.FlushContext, { flushHandle: endorsementKey.objectHandle });
      const loaded = await tpm.execute(
        commands.Load,
        { parentHandle: storageRootKey.objectHandle, inPrivate: outPrivate, inPublic: objectPublic },
        [password],
      );
      expect(loaded.name).toEqual(computeName(objectPublic));
      const request = { handle: loaded.objectHandle, buffer: hex('616263'), hashAlg: 'sha256' } as const;
      const { outHmac } = await tpm.execute(commands.HMAC, request, [password]);
      const expected = new Uint8Array(createHmac('sha256', key).update('abc').digest());
      expect(outHmac).toEqual(expected);
      expect(await hmacSequence(tpm, loaded.objectHandle)).toEqual(expected);
    },
  );

  it('are refused for another Name, with the code that the software counterpart throws', async () => {
    await using simulator = await startTpmSimulator();
    await using tpm = await openTpm(simulator.address);
    const endorsementKey = await primary(tpm, rh.endorsement, templates.ecc.endorsementKey);
    const storageRootKey = await primary(tpm, rh.owner, templates.ecc.storageRootKey);
    const credential = makeCredential({
      endorsementKey: endorsementKey.outPublic,
      objectName: endorsementKey.name,
      credential: new Uint8Array(16),
      random,
    });
    const policy = await endorsementPolicySession(tpm);
    const request = {
      activateHandle: storageRootKey.objectHandle,
      keyHandle: endorsementKey.objectHandle,
      credentialBlob: credential.idObject,
      secret: credential.encryptedSecret,
    };
    await expect(tpm.execute(commands.ActivateCredential, request, [password, policy])).rejects.toMatchObject(
      {
        code: 'ERR_TPM_INTEGRITY',
        rc: 0x1df,
      },
    );
    const broken = { ...request, secret: flipBit(credential.encryptedSecret, 500) };
    await expect(tpm.execute(commands.ActivateCredential, broken, [password, policy])).rejects.toMatchObject({
      code: 'ERR_TPM_ECC_POINT',
      rc: 0x2e7,
    });
  });
});

async function hmacSequence(tpm: Tpm, handle: number): Promise<Uint8Array> {
  const { sequenceHandle } = await tpm.execute(commands.HMAC_Start, { handle, hashAlg: 'sha256' }, [
    password,
  ]);
  await tpm.execute(commands.SequenceUpdate, { sequenceHandle, buffer: hex('61') }, [password]);
  const { result, validation } = await tpm.execute(
    commands.SequenceComplete,
    { sequenceHandle, buffer: hex('6263') },
    [password],
  );
  expect(validation).toMatchObject({ kind: 'hashCheck', hierarchy: rh.null });
  return result;
}

describe('the software counterpart of Import', () => {
  const parent = eccKey(templates.ecc.storageRootKey as EccPublic);
  const area: KeyedHashPublic = {
    type: 'keyedHash',
    nameAlg: 'sha256',
    objectAttributes: hmacKeyAttributes,
    authPolicy: hex(''),
    scheme: { scheme: 'hmac', hash: 'sha256' },
    unique: new Uint8Array(32),
  };
  const sensitive: Sensitive = {
    sensitiveType: 'keyedHash',
    authValue: hex(''),
    seedValue: new Uint8Array(32),
    sensitive: new Uint8Array(32),
  };

  it.each([
    ['a public area of another key', area, sensitive],
    ['a private part of another type', area, { ...sensitive, sensitiveType: 'symcipher' }],
    ['an obfuscation value of the wrong size', area, { ...sensitive, seedValue: new Uint8Array(16) }],
    ['a key longer than a block', area, { ...sensitive, sensitive: new Uint8Array(65) }],
    ['a fixed object', { ...area, objectAttributes: hmacKeyAttributes | 2 }, sensitive],
  ] as const)('refuses %s with the code of a TPM', async (_what, publicArea, contents) => {
    await using simulator = await startTpmSimulator();
    await using tpm = await openTpm(simulator.address);
    const key = await primary(tpm, rh.owner, templates.ecc.storageRootKey);
    const wrap = (to: PublicArea): Duplicate =>
      duplicateObject({ parent: to, publicArea, sensitive: contents, random });
    const forTpm = wrap(key.outPublic);
    const request = {
      parentHandle: key.objectHandle,
      encryptionKey: hex(''),
      objectPublic: publicArea,
      duplicate: forTpm.duplicate,
      inSymSeed: forTpm.encryptedSeed,
      symmetricAlg: null,
    };
    const refusal: unknown = await tpm
      .execute(commands.Import, request, [password])
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(TpmError);
    const { command, rc } = refusal as TpmError;
    const { privateKey } = parent;
    expect(() =>
      importDuplicateSoftware({ parent: parent.area, privateKey, publicArea, ...wrap(parent.area) }),
    ).toThrow(expect.objectContaining({ command, rc }));
  });
});
