import { emptyBytes } from '../bytes/bytes.ts';
import type { PublicArea } from '../structures/public-area.ts';
import { encodeTpm2bPublic, maxRsaKeyBytes } from '../structures/public-area.ts';
import type { SymmetricDefinition } from '../structures/symmetric.ts';
import { writeSymmetric } from '../structures/symmetric.ts';
import type { Command } from './command.ts';
import { defineCommand } from './command.ts';

/** The largest key of an inner wrapper, in bytes. */
const maxSymmetricKeyBytes = 32;

/** Parameters of TPM2_Import. */
export interface ImportRequest {
  readonly parentHandle: number;
  /** Key of the inner wrapper; empty when there is none. In clear on the bus unless a session encrypts it. */
  readonly encryptionKey: Uint8Array;
  readonly objectPublic: PublicArea;
  /** Inner bytes of TPM2B_PRIVATE. */
  readonly duplicate: Uint8Array;
  /** Inner bytes of TPM2B_ENCRYPTED_SECRET; empty when there is no outer wrapper. */
  readonly inSymSeed: Uint8Array;
  /** Cipher of the inner wrapper; `null` when there is none. */
  readonly symmetricAlg: SymmetricDefinition | null;
}

/** Answer of TPM2_Import. */
export interface ImportResponse {
  /** Inner bytes of TPM2B_PRIVATE, to give to Load. */
  readonly outPrivate: Uint8Array;
}

/** TPM2_Import (Part 3, 13.3). */
export const importObject: Command<ImportRequest, ImportResponse> = defineCommand({
  name: 'Import',
  code: 0x156,
  timeoutClass: 'privateKey',
  handleCount: 1,
  authHandleCount: 1,
  firstParameterIsTpm2b: true,
  firstResponseParameterIsTpm2b: true,
  handles: (request) => [request.parentHandle],
  write: (writer, request) => {
    writer
      .sized(request.encryptionKey, 'encryptionKey', maxSymmetricKeyBytes)
      .bytes(encodeTpm2bPublic(request.objectPublic), 'objectPublic')
      .sized(request.duplicate, 'duplicate')
      .sized(request.inSymSeed, 'inSymSeed', maxRsaKeyBytes);
    writeSymmetric(writer, request.symmetricAlg, 'symmetricAlg');
  },
  read: (reader) => Object.freeze({ outPrivate: reader.sized('outPrivate') }),
});

/** Parameters of TPM2_Duplicate. */
export interface DuplicateRequest {
  readonly objectHandle: number;
  /** New parent, a loaded public key; `rh.null` for no outer wrapper. */
  readonly newParentHandle: number;
  /** Key of the inner wrapper; default empty: the TPM makes one if there is a cipher. */
  readonly encryptionKeyIn?: Uint8Array | undefined;
  /** Cipher of the inner wrapper; `null` for none. */
  readonly symmetricAlg: SymmetricDefinition | null;
}

/** Answer of TPM2_Duplicate. */
export interface DuplicateResponse {
  /** Key of the inner wrapper, if the TPM made it. */
  readonly encryptionKeyOut: Uint8Array;
  /** Inner bytes of TPM2B_PRIVATE. */
  readonly duplicate: Uint8Array;
  /** Inner bytes of TPM2B_ENCRYPTED_SECRET. */
  readonly outSymSeed: Uint8Array;
}

/** TPM2_Duplicate (Part 3, 13.1); its authorization is always a policy session. */
export const duplicate: Command<DuplicateRequest, DuplicateResponse> = defineCommand({
  name: 'Duplicate',
  code: 0x14b,
  timeoutClass: 'session',
  handleCount: 2,
  authHandleCount: 1,
  firstParameterIsTpm2b: true,
  firstResponseParameterIsTpm2b: true,
  handles: (request) => [request.objectHandle, request.newParentHandle],
  write: (writer, request) => {
    writer.sized(request.encryptionKeyIn ?? emptyBytes, 'encryptionKeyIn', maxSymmetricKeyBytes);
    writeSymmetric(writer, request.symmetricAlg, 'symmetricAlg');
  },
  read: (reader) =>
    Object.freeze({
      encryptionKeyOut: reader.sized('encryptionKeyOut', maxSymmetricKeyBytes),
      duplicate: reader.sized('duplicate'),
      outSymSeed: reader.sized('outSymSeed', maxRsaKeyBytes),
    }),
});
