/** Decoders of `@endorse/protocol` that are fed piece by piece, and exchanges of several steps. */
import { isDeepStrictEqual } from 'node:util';
import { isEndorseError } from '@endorse/interface';
import * as p from '@endorse/protocol';
import { mutatedBytes } from '@endorse/fuzzing';
import * as fc from 'fast-check';
import type { DecoderTarget } from './decoder.ts';
import { decoder, isOurs } from './decoder.ts';
import { binaries, tpmIdentity } from './protocol-samples.ts';

/** What real clients and servers wrote, each all in one. */
export interface StreamRecordings {
  readonly amqp: readonly Uint8Array[];
  readonly mqtt: readonly Uint8Array[];
}

/** Takes a piece; returns what is complete, or throws. */
type Feed = (piece: Uint8Array) => readonly Uint8Array[];

interface Fed {
  readonly bytes: string;
  readonly code: string | undefined;
}

/** Feeds pieces until the first error. */
function feedAll(feed: Feed, pieces: readonly Uint8Array[]): Fed {
  const taken: Uint8Array[] = [];
  try {
    for (const piece of pieces) taken.push(...feed(piece));
    return { bytes: Buffer.concat(taken).toString('hex'), code: undefined };
  } catch (error) {
    if (!isEndorseError(error) || error.fault !== 'peer') throw error;
    return { bytes: Buffer.concat(taken).toString('hex'), code: error.code };
  }
}

function cut(bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const bounds = [
    ...new Set([0, ...places.map((place) => place % (bytes.byteLength + 1)), bytes.byteLength]),
  ].toSorted((left, right) => left - right);
  return bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end));
}

/** Bytes at which cutting everywhere is still cheap. */
const maxCutEverywhere = 600;

/** What a frame has at least. */
const headerBytes = 8;

/** The target of a decoder that must not care how its bytes are cut into pieces. */
function stream(name: string, recordings: readonly Uint8Array[], open: () => Feed): DecoderTarget {
  return decoder(`protocol ${name}`, {
    inputs: fc.tuple(mutatedBytes(recordings), fc.array(fc.nat(), { maxLength: 8 })),
    decode: ([bytes]) => feedAll(open(), [bytes]),
    check: (whole, [bytes, places]) => {
      const ways = [cut(bytes, places)];
      if (bytes.byteLength <= maxCutEverywhere) ways.push(Array.from(bytes, (byte) => Uint8Array.of(byte)));
      for (const pieces of ways) {
        const parts = feedAll(open(), pieces);
        // What came with the bytes that are refused is lost with them, and in pieces the last few may still be waited for.
        const waits = parts.code === undefined && bytes.byteLength - parts.bytes.length / 2 < headerBytes;
        const same =
          whole.code === undefined ? isDeepStrictEqual(parts, whole) : parts.code === whole.code || waits;
        if (!same) throw new Error(`whole ${JSON.stringify(whole)}, in pieces ${JSON.stringify(parts)}`);
      }
    },
  });
}

/** Every target that is fed. */
export function protocolStreams({ amqp, mqtt }: StreamRecordings): readonly DecoderTarget[] {
  return [
    stream('AmqpFrameGuard', amqp, () => {
      const guard = new p.AmqpFrameGuard();
      return (piece) => guard.push(piece);
    }),
    stream('createPacketGuard', mqtt, () => {
      const guard = p.createPacketGuard(1_000);
      return (piece) => {
        guard(piece);
        return [piece];
      };
    }),
    decoder('protocol SaslTpmServer', {
      inputs: fc.array(
        mutatedBytes([
          ...binaries.saslTpmIdentities,
          ...binaries.saslTpmStorageRootKeys,
          ...binaries.saslTpmTokens,
          new Uint8Array(),
        ]),
        { maxLength: 8 },
      ),
      decode: (responses) => {
        const server = new p.SaslTpmServer();
        return responses.map((response) => {
          const step = server.receive(response);
          return step.kind === 'identified' ? server.challenge(new Uint8Array(900)) : step.kind;
        });
      },
    }),
    decoder('protocol SaslTpmClient', {
      inputs: fc.array(mutatedBytes([Uint8Array.of(0), ...binaries.saslTpmSegments]), { maxLength: 14 }),
      decode: (challenges) => {
        const client = new p.SaslTpmClient(tpmIdentity);
        client.start();
        const steps = challenges.map((challenge) => client.receive(challenge).kind);
        if (steps.length > 9) throw new Error(`goes on for ${steps.length} steps`);
        return steps;
      },
      refuses: isOurs,
    }),
  ];
}
