import type { HashAlgorithm } from '../algorithms.ts';
import { hashAlgorithms, maxDigestSize } from '../algorithms.ts';
import { emptyBytes } from '../bytes/bytes.ts';
import { rh } from '../handles.ts';
import type { Ticket } from '../structures/tickets.ts';
import { readTicket } from '../structures/tickets.ts';
import type { Command, NoFields } from './command.ts';
import { defineCommand, readNothing } from './command.ts';

/** Parameters of TPM2_HMAC. */
export interface HmacRequest {
  /** The HMAC key. */
  readonly handle: number;
  /** Data; at most the TPM's input buffer (property 0x10d), 1024 bytes almost everywhere. */
  readonly buffer: Uint8Array;
  /** `null` takes the hash of the key's scheme. */
  readonly hashAlg: HashAlgorithm | null;
}

/** Answer of TPM2_HMAC. */
export interface HmacResponse {
  readonly outHmac: Uint8Array;
}

/** TPM2_HMAC (Part 3, 15.5). */
export const hmac: Command<HmacRequest, HmacResponse> = defineCommand({
  name: 'HMAC',
  code: 0x155,
  timeoutClass: 'session',
  handleCount: 1,
  authHandleCount: 1,
  firstParameterIsTpm2b: true,
  firstResponseParameterIsTpm2b: true,
  handles: (request) => [request.handle],
  write: (writer, request) => {
    writer.sized(request.buffer, 'buffer');
    hashAlgorithms.writeOrNull(writer, request.hashAlg, 'hashAlg');
  },
  read: (reader) => Object.freeze({ outHmac: reader.sized('outHmac', maxDigestSize) }),
});

/** Parameters of TPM2_HMAC_Start. */
export interface HmacStartRequest {
  /** The HMAC key. */
  readonly handle: number;
  /** Authorization value of the sequence; default empty. */
  readonly auth?: Uint8Array | undefined;
  /** `null` takes the hash of the key's scheme. */
  readonly hashAlg: HashAlgorithm | null;
}

/** Answer of TPM2_HMAC_Start. */
export interface HmacStartResponse {
  /** Transient handle; SequenceComplete flushes it, otherwise flush it yourself. */
  readonly sequenceHandle: number;
}

/** TPM2_HMAC_Start (Part 3, Hash/HMAC/Event Sequences). */
export const hmacStart: Command<HmacStartRequest, HmacStartResponse> = defineCommand({
  name: 'HMAC_Start',
  code: 0x15b,
  timeoutClass: 'session',
  handleCount: 1,
  authHandleCount: 1,
  responseHandleCount: 1,
  firstParameterIsTpm2b: true,
  handles: (request) => [request.handle],
  write: (writer, request) => {
    writer.sized(request.auth ?? emptyBytes, 'auth', maxDigestSize);
    hashAlgorithms.writeOrNull(writer, request.hashAlg, 'hashAlg');
  },
  read: (_reader, sequenceHandle) => Object.freeze({ sequenceHandle }),
});

/** Parameters of TPM2_SequenceUpdate. */
export interface SequenceUpdateRequest {
  readonly sequenceHandle: number;
  /** Data; at most the TPM's input buffer. */
  readonly buffer: Uint8Array;
}

/** TPM2_SequenceUpdate (Part 3, Hash/HMAC/Event Sequences). */
export const sequenceUpdate: Command<SequenceUpdateRequest, NoFields> = defineCommand({
  name: 'SequenceUpdate',
  code: 0x15c,
  timeoutClass: 'session',
  handleCount: 1,
  authHandleCount: 1,
  firstParameterIsTpm2b: true,
  handles: (request) => [request.sequenceHandle],
  write: (writer, request) => void writer.sized(request.buffer, 'buffer'),
  read: readNothing,
});

/** Parameters of TPM2_SequenceComplete. */
export interface SequenceCompleteRequest {
  readonly sequenceHandle: number;
  /** The last data; at most the TPM's input buffer, may be empty. */
  readonly buffer: Uint8Array;
  /** Hierarchy of the ticket; default `rh.null`: none. */
  readonly hierarchy?: number | undefined;
}

/** Answer of TPM2_SequenceComplete. */
export interface SequenceCompleteResponse {
  readonly result: Uint8Array;
  readonly validation: Ticket;
}

/** TPM2_SequenceComplete (Part 3, Hash/HMAC/Event Sequences). */
export const sequenceComplete: Command<SequenceCompleteRequest, SequenceCompleteResponse> = defineCommand({
  name: 'SequenceComplete',
  code: 0x13e,
  timeoutClass: 'session',
  handleCount: 1,
  authHandleCount: 1,
  firstParameterIsTpm2b: true,
  firstResponseParameterIsTpm2b: true,
  handles: (request) => [request.sequenceHandle],
  write: (writer, request) =>
    void writer.sized(request.buffer, 'buffer').u32(request.hierarchy ?? rh.null, 'hierarchy'),
  read: (reader) =>
    Object.freeze({
      result: reader.sized('result', maxDigestSize),
      validation: readTicket(reader, 'validation', ['hashCheck']),
    }),
});
