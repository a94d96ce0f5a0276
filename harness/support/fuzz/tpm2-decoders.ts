/** Every decoder of `@endorse/tpm2`, and the response of every command. */
import { generateKeyPairSync } from 'node:crypto';
import { isEndorseError } from '@endorse/interface';
import { systemRandom } from '@endorse/interface/node';
import * as t from '@endorse/tpm2';
import { mutatedBytes, mutatedText } from '@endorse/fuzzing';
import * as fc from 'fast-check';
import type { DecoderTarget } from './decoder.ts';
import { decoder } from './decoder.ts';
import { readVectors } from './protocol-samples.ts';
import type { RecordedResponse } from './tpm-recordings.ts';

const isMalformed = (error: unknown): boolean => isEndorseError(error) && error.code === 'ERR_TPM_MALFORMED';
/** A response may be a refusal. */
const isAnswer = (error: unknown): boolean => isMalformed(error) || error instanceof t.TpmError;
const isCallersFault = (error: unknown): boolean => isEndorseError(error) && error.fault === 'caller';

const areas = Object.values(t.templates).flatMap(({ endorsementKey, storageRootKey }) => [
  endorsementKey,
  storageRootKey,
]);
const publicAreas = areas.map(t.encodePublic);
const nvArea: t.NvPublic = {
  nvIndex: t.nvIndices.ekCertificateRsa2048,
  nameAlg: 'sha256',
  attributes: t.nvAttributes.ownerRead,
  authPolicy: new Uint8Array(32),
  dataSize: 1_200,
};
const sensitive: t.Sensitive = {
  sensitiveType: 'keyedHash',
  authValue: new Uint8Array(20),
  seedValue: new Uint8Array(32),
  sensitive: new Uint8Array(64),
};

const { rsa, ec } = readVectors('tpm2', 'endorsement-certificates') as Readonly<
  Record<'rsa' | 'ec', Readonly<Record<string, string>>>
>;
const pems = [rsa, ec].flatMap((each) => Object.values(each).filter((text) => text.startsWith('-----')));
const ders = pems.map((pem) =>
  Uint8Array.from(Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')),
);
const keyTexts = [...pems, ...publicAreas.map((area) => Buffer.from(area).toString('base64'))];

function binary<Value>(
  name: string,
  recordings: readonly Uint8Array[],
  decode: (bytes: Uint8Array) => Value,
  encode?: (value: NonNullable<Value>) => Uint8Array,
): DecoderTarget {
  return decoder(`tpm2 ${name}`, {
    inputs: mutatedBytes(recordings),
    decode,
    refuses: isMalformed,
    ...(encode === undefined ? {} : { encode }),
  });
}

const sized = areas.map(t.encodeTpm2bPublic);

const structures: readonly DecoderTarget[] = [
  binary('decodePublic', publicAreas, t.decodePublic, t.encodePublic),
  binary('decodeTpm2bPublic', sized, t.decodeTpm2bPublic, t.encodeTpm2bPublic),
  binary('decodeNvPublic', [t.encodeNvPublic(nvArea)], t.decodeNvPublic, t.encodeNvPublic),
  binary('decodeSensitive', [t.encodeSensitive(sensitive)], t.decodeSensitive, t.encodeSensitive),
  binary('publicAreaFromSpki', ders, t.publicAreaFromSpki),
  binary('computeName', publicAreas, t.computeName),
  binary('recognizeEndorsementKey', [...ders, ...publicAreas, ...sized], t.recognizeEndorsementKey),
  decoder('tpm2 recognizeEndorsementKey: text', {
    inputs: mutatedText(keyTexts),
    decode: t.recognizeEndorsementKey,
    refuses: isMalformed,
  }),
  binary('peekResponseCode', publicAreas, t.peekResponseCode),
  decoder('tpm2 decodeResponseCode', {
    inputs: fc.oneof(fc.nat(0xffff), fc.integer({ min: 0, max: 0xffff_ffff })),
    decode: (code) => t.formatResponseCode(t.decodeResponseCode(code)),
  }),
  // Both take what a peer said its key is, decoded.
  decoder('tpm2 publicKeyFromArea', {
    inputs: mutatedBytes(sized),
    decode: (bytes) => t.publicKeyFromArea(t.decodeTpm2bPublic(bytes)).type,
    refuses: (error) => isMalformed(error) || isCallersFault(error),
  }),
  decoder('tpm2 possibleEkTemplates', {
    inputs: mutatedBytes(sized),
    decode: (bytes) => t.possibleEkTemplates(t.decodeTpm2bPublic(bytes)),
    refuses: isMalformed,
  }),
];

const endorsementKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const endorsementArea = t.publicAreaFromSpki(
  Uint8Array.from(endorsementKey.publicKey.export({ type: 'spki', format: 'der' })),
);
const { privateKey } = endorsementKey;
const storageArea = {
  ...t.srkTemplateEccP256,
  unique: 'unique' in endorsementArea ? endorsementArea.unique : undefined,
} as t.PublicArea;
const wrapped = t.createActivation({
  endorsementKey: endorsementArea,
  storageRootKey: storageArea,
  key: new Uint8Array(32),
  random: systemRandom,
});
const keys = { hash: 'sha256', sessionKey: new Uint8Array(32), authValue: new Uint8Array() } as const;
const session = {
  ...keys,
  symmetric: t.aes128Cfb,
  nonceNewer: new Uint8Array(16),
  nonceOlder: new Uint8Array(16),
} as const;
const isTpmError = (error: unknown): boolean => error instanceof t.TpmError;

/** What stands in for a TPM, or undoes what one did, and so takes what a peer wrapped. */
const counterparts: readonly DecoderTarget[] = [
  decoder('tpm2 activateCredentialSoftware', {
    inputs: fc.record({
      idObject: mutatedBytes([wrapped.idObject]),
      encryptedSecret: mutatedBytes([wrapped.encryptedSecret]),
    }),
    decode: (credential) =>
      t.activateCredentialSoftware({
        ...credential,
        endorsementKey: endorsementArea,
        privateKey,
        objectName: t.computeName(storageArea),
      }),
    refuses: isTpmError,
  }),
  decoder('tpm2 decapsulateSecret', {
    inputs: mutatedBytes([wrapped.encryptedSecret]),
    decode: (encryptedSecret) =>
      t.decapsulateSecret({ recipient: endorsementArea, privateKey, label: 'IDENTITY', encryptedSecret }),
    refuses: isTpmError,
  }),
  decoder('tpm2 importDuplicateSoftware', {
    inputs: fc.record({
      duplicate: mutatedBytes([wrapped.duplicate]),
      encryptedSeed: mutatedBytes([wrapped.encryptedSeed]),
      area: mutatedBytes([wrapped.publicArea]),
    }),
    decode: ({ area, ...duplicate }) =>
      t.importDuplicateSoftware({
        ...duplicate,
        parent: storageArea,
        privateKey,
        publicArea: t.decodePublic(area),
        innerKey: new Uint8Array(16),
      }),
    refuses: (error) => isTpmError(error) || isMalformed(error),
  }),
  binary('decryptFirstParameter', sized, (bytes) => t.decryptFirstParameter(session, bytes)),
  binary('decryptParameter', sized, (bytes) => t.decryptParameter(session, bytes)),
  decoder('tpm2 decryptActivationData', {
    inputs: mutatedBytes([wrapped.encryptedUri]),
    decode: (bytes) => t.decryptActivationData(new Uint8Array(16), bytes),
  }),
  decoder('tpm2 verifyResponseHmac', {
    inputs: mutatedBytes([new Uint8Array(32)]),
    decode: (hmac) =>
      t.verifyResponseHmac({
        ...keys,
        rpHash: new Uint8Array(32),
        nonceTpm: new Uint8Array(16),
        nonceCaller: new Uint8Array(16),
        sessionAttributes: 1,
        hmac,
      }),
  }),
];

/** Every target of the package; `responses` are those of a TPM. */
export function tpm2Decoders(responses: readonly RecordedResponse[]): readonly DecoderTarget[] {
  const all: Readonly<Record<string, t.Command<never, unknown>>> = { ...t.commands };
  const commands = Object.entries(all).map(([name, command]) => {
    const own = responses.filter((each) => each.command === name);
    // What no TPM was asked in the recording begins with the answers to other commands.
    const recordings = (own.length > 0 ? own : responses).map(({ response }) => response);
    const counts = own.map(({ sessions }) => sessions);
    return decoder(`tpm2 commands.${name}.decodeResponse`, {
      inputs: fc.tuple(mutatedBytes(recordings), fc.constantFrom(0, 1, 2, 3, ...counts, ...counts)),
      decode: ([bytes, sessions]) => {
        const frame = t.decodeResponse(command, bytes, sessions);
        return command.decodeResponse(frame.handles, frame.parameters);
      },
      refuses: isAnswer,
    });
  });
  return [
    ...structures,
    ...counterparts,
    decoder('tpm2 decodeResponse', {
      inputs: fc.tuple(
        fc.constantFrom(...Object.values(all).map(describe)),
        mutatedBytes(responses.map(({ response }) => response)),
        fc.nat(3),
      ),
      decode: ([command, bytes, sessions]) => t.decodeResponse(command, bytes, sessions),
      refuses: isAnswer,
    }),
    ...commands,
  ];
}

/** The data of a command without its functions, which cannot be copied to compare with. */
function describe(command: t.CommandInfo): t.CommandInfo {
  return Object.fromEntries(
    Object.entries(command).filter(([, value]) => typeof value !== 'function'),
  ) as unknown as t.CommandInfo;
}
