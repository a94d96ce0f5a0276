/** Oracle: swtpm, a TPM 2.0 implementation on libtpms. */
import { randomBytes } from 'node:crypto';
import type { CommandHmacOptions, SessionSymmetricDefinition } from '@endorse/tpm2';
import {
  aes128Cfb,
  commands,
  computeCommandHmac,
  cpHash,
  decodeResponse,
  decryptFirstParameter,
  deriveSessionKey,
  encapsulateSecret,
  encodeCommandFrame,
  encryptFirstParameter,
  handleName,
  rh,
  rpHash,
  sessionAttributes,
  templates,
  verifyResponseHmac,
} from '@endorse/tpm2';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import { describe, expect, it } from 'vitest';
import { hex } from './support/bytes.ts';
import { openTpm, password, primary } from './support/tpm.ts';

const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };

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
