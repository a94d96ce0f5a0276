/** Oracle: swtpm, a TPM 2.0 implementation on libtpms. */
import { createHmac, randomBytes } from 'node:crypto';
import type { CommandHmacOptions, PublicArea, SessionSymmetricDefinition } from '@endorse/tpm2';
import {
  aes128Cfb,
  commands,
  computeCommandHmac,
  computeName,
  computeNvName,
  cpHash,
  createActivation,
  decodePublic,
  decodeResponse,
  decryptFirstParameter,
  deriveSessionKey,
  diagnoseEkTemplate,
  encapsulateSecret,
  encodeCommandFrame,
  encryptFirstParameter,
  handleKind,
  handleName,
  makeCredential,
  nvAttributes,
  publicKeyFromArea,
  rh,
  rpHash,
  sessionAttributes,
  templates,
  tpmProperties,
  verifyResponseHmac,
} from '@endorse/tpm2';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { describe, expect, it } from 'vitest';
import { flipBit, hex } from './support/bytes.ts';
import { seededRandom } from './support/random.ts';
import type { Tpm } from './support/tpm.ts';
import { endorsementPolicySession, openTpm, password } from './support/tpm.ts';

const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };

async function primary(
  tpm: Tpm,
  primaryHandle: number,
  inPublic: PublicArea,
): Promise<{ objectHandle: number; outPublic: PublicArea; name: Uint8Array }> {
  return await tpm.execute(commands.CreatePrimary, { primaryHandle, inPublic }, [password]);
}

describe('keys that a TPM makes', () => {
  it('have the Name we compute and a public key that node:crypto takes', async () => {
    await using simulator = await startTpmSimulator();
    await using tpm = await openTpm(simulator.address);
    for (const { endorsementKey, storageRootKey } of [templates.tcg, templates.ecc]) {
      for (const [hierarchy, template] of [
        [rh.endorsement, endorsementKey],
        [rh.owner, storageRootKey],
      ] as const) {
        const key = await primary(tpm, hierarchy, template);
        expect(handleKind(key.objectHandle)).toBe('transient');
        expect(key.name).toEqual(computeName(key.outPublic));
        expect({ ...key.outPublic, unique: template.unique }).toEqual(template);
        const read = await tpm.execute(commands.ReadPublic, { objectHandle: key.objectHandle });
        expect(read).toMatchObject({ outPublic: key.outPublic, name: key.name });
        expect(publicKeyFromArea(key.outPublic).type).toBe('public');
        await tpm.execute(commands.FlushContext, { flushHandle: key.objectHandle });
      }
    }
  });

  it('differ between the TCG and the Azure template, and the diagnosis tells which was enrolled', async () => {
    await using simulator = await startTpmSimulator();
    await using tpm = await openTpm(simulator.address);
    const make = async (name: 'tcg' | 'azure-legacy'): Promise<PublicArea> => {
      const key = await primary(tpm, rh.endorsement, templates[name].endorsementKey);
      await tpm.execute(commands.FlushContext, { flushHandle: key.objectHandle });
      return key.outPublic;
    };
    const created = { tcg: await make('tcg'), 'azure-legacy': await make('azure-legacy') };
    expect(diagnoseEkTemplate({ enrolled: created['azure-legacy'], created })).toMatchObject({
      verdict: 'match',
      template: 'azure-legacy',
    });
    expect(diagnoseEkTemplate({ enrolled: created.tcg, created })).toMatchObject({ template: 'tcg' });
  });
});

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

describe('sessions', () => {
  const ciphers: readonly (readonly [string, SessionSymmetricDefinition])[] = [
    ['AES-128-CFB', aes128Cfb],
    ['AES-256-CFB', { algorithm: 'aes', keyBits: 256, mode: 'cfb' }],
    ['XOR', { algorithm: 'xor', hash: 'sha256' }],
  ];
  const salts = ['tcg', 'ecc'] as const;
  const cases = ciphers.flatMap(([name, symmetric]) => salts.map((salt) => [name, salt, symmetric] as const));

  it.each(cases)(
    'salted, with parameters under %s (salt: %s), change a hierarchy password unseen',
    async (_name, salt, symmetric) => {
      await using simulator = await startTpmSimulator();
      await using tpm = await openTpm(simulator.address);
      const key = await primary(tpm, rh.owner, templates[salt].storageRootKey);
      const { seed, encryptedSecret } = encapsulateSecret(key.outPublic, 'SECRET', random);
      const firstNonce = random.bytes(16);
      const session = await tpm.execute(commands.StartAuthSession, {
        tpmKey: key.objectHandle,
        nonceCaller: firstNonce,
        encryptedSalt: encryptedSecret,
        sessionType: 'hmac',
        symmetric,
        authHash: 'sha256',
      });
      const sessionKey = deriveSessionKey({
        hash: 'sha256',
        salt: seed,
        nonceTpm: session.nonceTpm,
        nonceCaller: firstNonce,
      });
      const command = commands.HierarchyChangeAuth;
      const newAuth = hex('7365637265740000');
      const nonceCaller = random.bytes(16);
      const keys = { hash: 'sha256', sessionKey, authValue: hex('') } as const;
      const parameters = encryptFirstParameter(
        { ...keys, symmetric, nonceNewer: nonceCaller, nonceOlder: session.nonceTpm },
        command.encodeParameters({ authHandle: rh.owner, newAuth }),
      );
      const attributes = sessionAttributes.continueSession | sessionAttributes.decrypt;
      const hmacOptions: CommandHmacOptions = {
        ...keys,
        cpHash: cpHash({
          hash: 'sha256',
          commandCode: command.code,
          names: [handleName(rh.owner)],
          parameters,
        }),
        nonceCaller,
        nonceTpm: session.nonceTpm,
        sessionAttributes: attributes,
      };
      const frame = encodeCommandFrame({
        commandCode: command.code,
        handles: [rh.owner],
        authorizations: [
          {
            sessionHandle: session.sessionHandle,
            nonceCaller,
            sessionAttributes: attributes,
            hmac: computeCommandHmac(hmacOptions),
          },
        ],
        parameters,
      });
      expect(Buffer.from(frame).includes('secret')).toBe(false);
      const answer = decodeResponse(command, await tpm.transmit(frame), 1);
      const [authorization] = answer.authorizations;
      // The response is keyed with the new value.
      const response = {
        ...keys,
        authValue: newAuth,
        rpHash: rpHash({ hash: 'sha256', commandCode: command.code, parameters: answer.parameters }),
        nonceTpm: authorization?.nonceTpm ?? hex(''),
        nonceCaller,
        sessionAttributes: authorization?.sessionAttributes ?? 0,
        hmac: authorization?.hmac ?? hex(''),
      };
      expect(verifyResponseHmac(response)).toBe(true);
      expect(verifyResponseHmac({ ...response, authValue: hex('') })).toBe(false);
      await expect(
        tpm.execute(commands.Clear, { authHandle: rh.platform }, [{ ...password, hmac: newAuth }]),
      ).rejects.toMatchObject({ code: 'ERR_TPM_BAD_AUTH', rc: 0x9a2 });
      const change = { authHandle: rh.owner, newAuth: hex('') };
      await tpm.execute(commands.HierarchyChangeAuth, change, [{ ...password, hmac: hex('736563726574') }]);
    },
  );

  it('encrypt what the TPM answers', async () => {
    await using simulator = await startTpmSimulator();
    await using tpm = await openTpm(simulator.address);
    const key = await primary(tpm, rh.owner, templates.ecc.storageRootKey);
    const { seed, encryptedSecret } = encapsulateSecret(key.outPublic, 'SECRET', random);
    const nonces = { caller: random.bytes(32), second: random.bytes(32) };
    const session = await tpm.execute(commands.StartAuthSession, {
      tpmKey: key.objectHandle,
      nonceCaller: nonces.caller,
      encryptedSalt: encryptedSecret,
      sessionType: 'hmac',
      symmetric: aes128Cfb,
      authHash: 'sha256',
    });
    const { nonceTpm } = session;
    const sessionKey = deriveSessionKey({ hash: 'sha256', salt: seed, nonceTpm, nonceCaller: nonces.caller });
    const keys = { hash: 'sha256', sessionKey, authValue: hex('') } as const;
    const command = commands.ReadPublic;
    const attributes = sessionAttributes.continueSession | sessionAttributes.encrypt;
    const parameters = hex('');
    const hash = cpHash({ hash: 'sha256', commandCode: command.code, names: [key.name], parameters });
    const nonceCaller = nonces.second;
    const hmac = computeCommandHmac({
      ...keys,
      cpHash: hash,
      nonceCaller,
      nonceTpm,
      sessionAttributes: attributes,
    });
    const frame = encodeCommandFrame({
      commandCode: command.code,
      handles: [key.objectHandle],
      authorizations: [
        { sessionHandle: session.sessionHandle, nonceCaller, sessionAttributes: attributes, hmac },
      ],
      parameters,
    });
    const answer = decodeResponse(command, await tpm.transmit(frame), 1);
    expect(() => command.decodeResponse([], answer.parameters)).toThrow(
      expect.objectContaining({ code: 'ERR_TPM_MALFORMED' }),
    );
    const nonceNewer = answer.authorizations[0]?.nonceTpm ?? hex('');
    const clear = decryptFirstParameter(
      { ...keys, symmetric: aes128Cfb, nonceNewer, nonceOlder: nonceCaller },
      answer.parameters,
    );
    expect(command.decodeResponse([], clear)).toMatchObject({ outPublic: key.outPublic, name: key.name });
  });
});

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
      expect.arrayContaining(Object.values(commands).map(({ code }) => code)),
    );
    // Handles, authorizations and encryption as the TPM itself describes its commands (TPMA_CC).
    for (const command of Object.values(commands)) {
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
