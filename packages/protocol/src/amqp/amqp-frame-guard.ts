/**
 * Stands between a connection and an AMQP library, in either role: cuts the bytes into frames and lets through only
 * what is sound and within bounds. Libraries trust sizes, counts and ranges; what a peer may cost is decided here.
 *
 * Invariants: what comes out is what went in, in order, in whole frames; at most one frame of the largest size is held
 * back; after an error nothing comes out any more.
 */
import { malformed } from '../json/malformed.ts';
import { readAmqpNumber, readDescribedList, skipAmqpValue } from './amqp-encoding.ts';
import type { DescribedList } from './amqp-encoding.ts';
import { maxSaslFrameBytes } from './sasl-frame.ts';

/** Bounds of an {@link AmqpFrameGuard}. */
export interface AmqpFrameLimits {
  /** Largest frame, in bytes; what one's own `open` announces. */
  readonly maxFrameBytes: number;
  /** Largest message, all its frames together, in bytes; also for all unfinished messages together. */
  readonly maxMessageBytes: number;
  /** How many sessions and links a connection may begin in its life. */
  readonly maxEndpoints: number;
}

/** Bounds that suit the service: its largest message is 96 KiB. */
export const defaultAmqpFrameLimits: AmqpFrameLimits = Object.freeze({
  maxFrameBytes: 65_536,
  maxMessageBytes: 1_048_576,
  maxEndpoints: 1024,
});

/** Cuts and checks what one peer sends; see the head of the file. */
export class AmqpFrameGuard {
  readonly #limits: AmqpFrameLimits;
  /** Bytes of a frame that is not complete, piece by piece, so that a slow peer does not make us copy them again and again. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** How many bytes it takes to go on. */
  #neededBytes = 0;
  #layer: 'none' | 'sasl' | 'amqp' = 'none';
  /** Payload of messages that more is to come of, by channel and handle. */
  readonly #unfinished: Map<string, Uint8Array[]> = new Map();
  #unfinishedBytes = 0;
  #endpoints = 0;
  #failed = false;

  constructor(limits: AmqpFrameLimits = defaultAmqpFrameLimits) {
    this.#limits = limits;
  }

  /** Takes bytes and returns the headers and frames that are complete. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE`. */
  push(chunk: Uint8Array): readonly Uint8Array[] {
    if (this.#failed) return [];
    try {
      return this.#cut(chunk);
    } catch (error) {
      this.#failed = true;
      this.#held = [];
      this.#unfinished.clear();
      throw error;
    }
  }

  #cut(chunk: Uint8Array): readonly Uint8Array[] {
    this.#heldBytes += chunk.byteLength;
    if (this.#heldBytes < this.#neededBytes) {
      this.#held.push(Uint8Array.from(chunk));
      return [];
    }
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([...this.#held, chunk]);
    const frames: Uint8Array[] = [];
    let size = this.#nextSize(rest);
    for (; size <= rest.byteLength; size = this.#nextSize(rest)) {
      const frame = rest.subarray(0, size);
      if (isHeader(frame)) this.#enterLayer(frame);
      else this.#check(frame);
      frames.push(frame);
      rest = rest.subarray(size);
    }
    // A copy, so that what is held back does not hold the chunk it came in.
    this.#held = rest.byteLength === 0 ? [] : [Uint8Array.from(rest)];
    this.#heldBytes = rest.byteLength;
    this.#neededBytes = size;
    return frames;
  }

  /** The size of the header or frame that `bytes` begin with; more than there are when it cannot be told yet. */
  #nextSize(bytes: Uint8Array): number {
    if (this.#layer === 'none' && !isBeginningOfHeader(bytes)) {
      throw malformed('AMQP connection', 'header', 'must be AMQP and a version', {
        sample: Buffer.from(bytes.subarray(0, 8)).toString('latin1'),
      });
    }
    if (bytes.byteLength < 8) return 8;
    if (isHeader(bytes)) return 8;
    const size = Buffer.from(bytes.buffer, bytes.byteOffset, 4).readUInt32BE();
    const maxBytes = this.#layer === 'sasl' ? maxSaslFrameBytes : this.#limits.maxFrameBytes;
    if (size > maxBytes) {
      throw malformed('AMQP frame', 'size', `must be at most ${maxBytes} bytes, is ${size}`, {
        code: 'ERR_REMOTE_TOO_LARGE',
      });
    }
    if (size < 8) throw malformed('AMQP frame', 'size', `must be at least 8 bytes, is ${size}`);
    return size;
  }

  #enterLayer(header: Uint8Array): void {
    const [protocolId, ...version] = header.subarray(4);
    const layer = protocolId === 0 ? 'amqp' : protocolId === 3 ? 'sasl' : undefined;
    if (layer === undefined || version.join('.') !== '1.0.0') {
      throw malformed(
        'AMQP connection',
        'header',
        `must be AMQP or SASL 1.0.0, is ${header.subarray(4).join('.')}`,
      );
    }
    if (this.#layer === 'amqp' || this.#layer === layer) {
      throw malformed('AMQP connection', 'header', 'must not come twice');
    }
    this.#layer = layer;
  }

  #check(frame: Uint8Array): void {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    const bodyAt = view.getUint8(4) * 4;
    const expectedType = this.#layer === 'sasl' ? 1 : 0;
    if (view.getUint8(5) !== expectedType) {
      throw malformed('AMQP frame', 'type', `must be ${expectedType}, is ${view.getUint8(5)}`);
    }
    if (bodyAt < 8 || bodyAt > frame.byteLength) {
      throw malformed('AMQP frame', 'doff', 'must point behind the header and into the frame');
    }
    if (bodyAt === frame.byteLength) {
      if (this.#layer === 'amqp') return;
      throw malformed('SASL frame', 'body', 'must not be empty');
    }
    const performative = readDescribedList(frame, bodyAt);
    if (this.#layer === 'sasl') {
      if (performative.descriptor < 0x40 || performative.descriptor > 0x44) {
        throw malformed('SASL frame', 'descriptor', `must be 40 to 44, is ${hex(performative.descriptor)}`);
      }
      return;
    }
    this.#checkPerformative(frame, performative, view.getUint16(6));
  }

  #checkPerformative(frame: Uint8Array, performative: DescribedList, channel: number): void {
    const { descriptor, fieldOffsets, end } = performative;
    const field = (index: number): number | undefined => readAmqpNumber(frame, fieldOffsets[index]);
    switch (descriptor) {
      case performatives.begin:
      case performatives.attach:
        this.#endpoints += 1;
        if (this.#endpoints <= this.#limits.maxEndpoints) return;
        throw malformed(
          'AMQP connection',
          'begin, attach',
          `must come at most ${this.#limits.maxEndpoints} times`,
          {
            code: 'ERR_REMOTE_TOO_LARGE',
          },
        );
      case performatives.transfer: {
        const key = `${channel}/${field(0) ?? 'no handle'}`;
        this.#collect(key, frame.subarray(end), field(5) === 1);
        return;
      }
      case performatives.disposition: {
        const first = field(1) ?? 0;
        const last = field(2) ?? first;
        // A library may go through the range one by one.
        if (last - first <= maxDispositionRange) return;
        throw malformed('AMQP frame', 'disposition', `must cover at most ${maxDispositionRange} deliveries`, {
          code: 'ERR_REMOTE_TOO_LARGE',
        });
      }
      default:
        if (descriptor >= performatives.open && descriptor <= performatives.close) return;
        throw malformed('AMQP frame', 'descriptor', `must be 10 to 18, is ${hex(descriptor)}`);
    }
  }

  /** Collects a message and checks its sections once it is whole. */
  #collect(key: string, payload: Uint8Array, hasMore: boolean): void {
    const former = this.#unfinished.get(key);
    const { maxMessageBytes } = this.#limits;
    if (this.#unfinishedBytes + payload.byteLength > maxMessageBytes) {
      throw malformed('AMQP message', 'size', `must be at most ${maxMessageBytes} bytes`, {
        code: 'ERR_REMOTE_TOO_LARGE',
      });
    }
    if (hasMore) {
      if (former === undefined) this.#unfinished.set(key, [Uint8Array.from(payload)]);
      else former.push(Uint8Array.from(payload));
      this.#unfinishedBytes += payload.byteLength + bytesPerPiece;
      return;
    }
    this.#unfinished.delete(key);
    const pieces = former ?? [];
    this.#unfinishedBytes -= pieces.reduce((sum, { byteLength }) => sum + byteLength + bytesPerPiece, 0);
    const message = pieces.length === 0 ? payload : Buffer.concat([...pieces, payload]);
    for (let at = 0; at < message.byteLength;) {
      if (message[at] !== 0) throw malformed('AMQP message', 'section', 'must begin with a descriptor');
      at = skipAmqpValue(message, at);
    }
  }
}

const performatives = {
  open: 0x10,
  begin: 0x11,
  attach: 0x12,
  transfer: 0x14,
  disposition: 0x15,
  close: 0x18,
};

/** More than any window that is granted here. */
const maxDispositionRange = 4096;

/** What keeping a piece costs beside its bytes: empty ones must not be free. */
const bytesPerPiece = 64;

const headerPrefix = [0x41, 0x4d, 0x51, 0x50];

function isBeginningOfHeader(bytes: Uint8Array): boolean {
  return headerPrefix.every((byte, index) => index >= bytes.byteLength || bytes[index] === byte);
}

function isHeader(bytes: Uint8Array): boolean {
  return bytes.byteLength >= 8 && isBeginningOfHeader(bytes);
}

function hex(descriptor: number): string {
  return descriptor.toString(16);
}
