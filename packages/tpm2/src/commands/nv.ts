import { maxDigestSize } from '../algorithms.ts';
import { emptyBytes, sizedBytes } from '../bytes/bytes.ts';
import { maxNameSize } from '../structures/creation-data.ts';
import type { NvPublic } from '../structures/nv-public.ts';
import { encodeNvPublic, readNvPublic } from '../structures/nv-public.ts';
import type { Command, NoFields } from './command.ts';
import { defineCommand, readNothing } from './command.ts';

/** Parameters of TPM2_NV_ReadPublic. */
export interface NvReadPublicRequest {
  readonly nvIndex: number;
}

/** Answer of TPM2_NV_ReadPublic. */
export interface NvReadPublicResponse {
  readonly nvPublic: NvPublic;
  readonly nvName: Uint8Array;
}

/** TPM2_NV_ReadPublic (Part 3, 31.6). */
export const nvReadPublic: Command<NvReadPublicRequest, NvReadPublicResponse> = defineCommand({
  name: 'NV_ReadPublic',
  code: 0x169,
  timeoutClass: 'metadata',
  handleCount: 1,
  firstResponseParameterIsTpm2b: true,
  handles: (request) => [request.nvIndex],
  read: (reader) =>
    Object.freeze({
      nvPublic: reader.sizedStructure('nvPublic', 'TPMS_NV_PUBLIC', readNvPublic),
      nvName: reader.sized('nvName', maxNameSize),
    }),
});

/** Parameters of TPM2_NV_Read. */
export interface NvReadRequest {
  /** Who may read: the index itself, `rh.owner` or `rh.platform`, by the attributes of the index. */
  readonly authHandle: number;
  readonly nvIndex: number;
  /** How many bytes; at most the TPM's NV buffer (property 0x12c), 1024 bytes almost everywhere. */
  readonly size: number;
  /** Where to start, in bytes. */
  readonly offset: number;
}

/** Answer of TPM2_NV_Read. */
export interface NvReadResponse {
  readonly data: Uint8Array;
}

/** TPM2_NV_Read (Part 3, 31.13). */
export const nvRead: Command<NvReadRequest, NvReadResponse> = defineCommand({
  name: 'NV_Read',
  code: 0x14e,
  timeoutClass: 'metadata',
  handleCount: 2,
  authHandleCount: 1,
  firstResponseParameterIsTpm2b: true,
  handles: (request) => [request.authHandle, request.nvIndex],
  write: (writer, request) => void writer.u16(request.size, 'size').u16(request.offset, 'offset'),
  read: (reader) => Object.freeze({ data: reader.sized('data') }),
});

/** Parameters of TPM2_NV_DefineSpace. */
export interface NvDefineSpaceRequest {
  /** `rh.owner` or `rh.platform`. */
  readonly authHandle: number;
  /** Authorization value of the index; default empty. */
  readonly auth?: Uint8Array | undefined;
  readonly publicInfo: NvPublic;
}

/** TPM2_NV_DefineSpace (Part 3, 31.3). */
export const nvDefineSpace: Command<NvDefineSpaceRequest, NoFields> = defineCommand({
  name: 'NV_DefineSpace',
  code: 0x12a,
  timeoutClass: 'nv',
  handleCount: 1,
  authHandleCount: 1,
  firstParameterIsTpm2b: true,
  handles: (request) => [request.authHandle],
  write: (writer, request) =>
    void writer
      .sized(request.auth ?? emptyBytes, 'auth', maxDigestSize)
      .bytes(sizedBytes(encodeNvPublic(request.publicInfo)), 'publicInfo'),
  read: readNothing,
});

/** Parameters of TPM2_NV_UndefineSpace. */
export interface NvUndefineSpaceRequest {
  /** `rh.owner` or `rh.platform`. */
  readonly authHandle: number;
  readonly nvIndex: number;
}

/** TPM2_NV_UndefineSpace (Part 3, 31.4). */
export const nvUndefineSpace: Command<NvUndefineSpaceRequest, NoFields> = defineCommand({
  name: 'NV_UndefineSpace',
  code: 0x122,
  timeoutClass: 'nv',
  handleCount: 2,
  authHandleCount: 1,
  handles: (request) => [request.authHandle, request.nvIndex],
  read: readNothing,
});

/** Parameters of TPM2_NV_Write. */
export interface NvWriteRequest {
  /** Who may write: the index itself, `rh.owner` or `rh.platform`, by the attributes of the index. */
  readonly authHandle: number;
  readonly nvIndex: number;
  /** At most the TPM's NV buffer (property 0x12c). */
  readonly data: Uint8Array;
  /** Where to start, in bytes. */
  readonly offset: number;
}

/** TPM2_NV_Write (Part 3, 31.7). */
export const nvWrite: Command<NvWriteRequest, NoFields> = defineCommand({
  name: 'NV_Write',
  code: 0x137,
  timeoutClass: 'nv',
  handleCount: 2,
  authHandleCount: 1,
  firstParameterIsTpm2b: true,
  handles: (request) => [request.authHandle, request.nvIndex],
  write: (writer, request) => void writer.sized(request.data, 'data').u16(request.offset, 'offset'),
  read: readNothing,
});
