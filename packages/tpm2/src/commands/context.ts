import type { ByteReader } from '../bytes/byte-reader.ts';
import type { Command } from './command.ts';
import { defineCommand } from './command.ts';

/** TPMS_CONTEXT (Part 2, 14.5): an object or session that was moved out of the TPM. */
export interface SavedContext {
  /** Counter that orders saved sessions. */
  readonly sequence: bigint;
  /** Handle of a session, or one of three values that stand for an object. */
  readonly savedHandle: number;
  /** Hierarchy of the object, a TPM_RH handle. */
  readonly hierarchy: number;
  /** Encrypted by the TPM; at most 65,535 bytes. */
  readonly contextBlob: Uint8Array;
}

/** Parameters of TPM2_ContextSave. */
export interface ContextSaveRequest {
  readonly saveHandle: number;
}

/** Answer of TPM2_ContextSave. */
export interface ContextSaveResponse {
  readonly context: SavedContext;
}

/** TPM2_ContextSave (Part 3, 28.2). An object stays loaded, a session does not. */
export const contextSave: Command<ContextSaveRequest, ContextSaveResponse> = defineCommand({
  name: 'ContextSave',
  code: 0x162,
  timeoutClass: 'metadata',
  handleCount: 1,
  handles: (request) => [request.saveHandle],
  read: (reader) => Object.freeze({ context: readContext(reader) }),
});

/** Parameters of TPM2_ContextLoad. */
export interface ContextLoadRequest {
  readonly context: SavedContext;
}

/** Answer of TPM2_ContextLoad. */
export interface ContextLoadResponse {
  /** The handle it has now: a new one for an object, the old one for a session. */
  readonly loadedHandle: number;
}

/** TPM2_ContextLoad (Part 3, 28.3). */
export const contextLoad: Command<ContextLoadRequest, ContextLoadResponse> = defineCommand({
  name: 'ContextLoad',
  code: 0x161,
  timeoutClass: 'metadata',
  responseHandleCount: 1,
  write: (writer, { context }) =>
    void writer
      .u64(context.sequence, 'context.sequence')
      .u32(context.savedHandle, 'context.savedHandle')
      .u32(context.hierarchy, 'context.hierarchy')
      .sized(context.contextBlob, 'context.contextBlob'),
  read: (_reader, loadedHandle) => Object.freeze({ loadedHandle }),
});

function readContext(reader: ByteReader): SavedContext {
  return Object.freeze({
    sequence: reader.u64('context.sequence'),
    savedHandle: reader.u32('context.savedHandle'),
    hierarchy: reader.u32('context.hierarchy'),
    contextBlob: reader.sized('context.contextBlob'),
  });
}
