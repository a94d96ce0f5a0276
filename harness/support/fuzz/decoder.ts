/** What every decoder has to hold, whatever it is given. */
import { isDeepStrictEqual } from 'node:util';
import { isEndorseError } from '@endorse/interface';
import type { FuzzTarget } from '@endorse/fuzzing';
import * as fc from 'fast-check';

/** A decoder under test. */
export interface DecoderTarget extends FuzzTarget {
  /** What it covers: the package and export, for example `protocol decodeQuery`. The name, unless an export has several. */
  readonly covers: string;
  readonly property: fc.IRawProperty<unknown>;
}

/** How a decoder is called. */
export interface DecoderOptions<Input, Value> {
  readonly inputs: fc.Arbitrary<Input>;
  readonly decode: (input: Input) => Value;
  /** The errors it may throw; default those that say it is the peer's fault. */
  readonly refuses?: (error: unknown) => boolean;
  /** Writes what was decoded, where there is a way back: decoding that gives the same value. */
  readonly encode?: (value: NonNullable<Value>) => Input;
  /** What else has to be true of a value. */
  readonly check?: (value: Value, input: Input) => void;
}

/** How long one call may take, in milliseconds, on a machine that does something else besides. */
const maxMs = 250;
/** How much a value may hold for each byte of input, and besides. */
const maxGrowth = 40;
const freeBytes = 16_384;
const maxMessageLength = 2_000;

/** Makes the target of a decoder. `name` is the package and the export, with what sets it apart behind a colon. */
export function decoder<Input, Value>(name: string, options: DecoderOptions<Input, Value>): DecoderTarget {
  return {
    name,
    covers: name.split(':')[0] ?? name,
    property: fc.property(options.inputs, (input) => checkDecoder(options, input)),
  };
}

/** Makes the target of a decoder that is asynchronous; times and sizes are checked alike. */
export function asyncDecoder<Input, Value>(
  name: string,
  options: DecoderOptions<Input, Promise<Value>>,
): DecoderTarget {
  return {
    name,
    covers: name.split(':')[0] ?? name,
    property: fc.asyncProperty(options.inputs, async (input) => {
      const isChanged = watch(input);
      try {
        checkSize(await options.decode(input), input);
      } catch (error) {
        checkError(error, options.refuses);
      }
      if (isChanged()) throw new Error('the input was changed');
    }),
  };
}

/** An error that says the peer is at fault, which is all that decoders of remote bytes throw. */
export function isPeersFault(error: unknown): boolean {
  return isEndorseError(error) && error.fault === 'peer';
}

/** An error of ours, whosever fault it is. */
export function isOurs(error: unknown): boolean {
  return isEndorseError(error);
}

function checkDecoder<Input, Value>(options: DecoderOptions<Input, Value>, input: Input): void {
  const { decode, refuses, encode, check } = options;
  const isChanged = watch(input);
  // Somebody else may have had the processor: the fastest of three counts.
  let fastestMs = Infinity;
  let outcome = attempt(decode, input);
  for (let tries = 0; tries < 3 && (fastestMs = Math.min(fastestMs, outcome.elapsedMs)) > maxMs; tries += 1) {
    outcome = attempt(decode, input);
  }
  if (fastestMs > maxMs) throw new Error(`decoding took ${Math.round(fastestMs)} ms`);
  if (isChanged()) throw new Error('the input was changed');
  if ('error' in outcome) {
    checkError(outcome.error, refuses);
    return;
  }
  const { value } = outcome;
  checkSize(value, input);
  check?.(value, input);
  if (encode === undefined || value === undefined || value === null) return;
  const again = decode(encode(value));
  if (!isSame(again, value)) {
    throw new Error(
      `encoded and decoded it is another value: ${fc.stringify(again)}, was ${fc.stringify(value)}`,
    );
  }
}

/** Equal, but for the sign of a zero, which JSON cannot carry back. */
function isSame(left: unknown, right: unknown): boolean {
  if (isDeepStrictEqual(left, right)) return true;
  const [one, other] = [left, right].map((value) =>
    fc.stringify(value).replaceAll(/(?<![\w.])-0(?![\w.])/g, '0'),
  );
  return one === other;
}

/** Tells whether a value is another than it was; copies are compared, because a copy has ordinary prototypes. */
function watch(input: unknown): () => boolean {
  if (typeof input === 'string') return () => false;
  const before = structuredClone(input);
  return () => !isDeepStrictEqual(structuredClone(input), before);
}

type Outcome<Value> = { readonly elapsedMs: number } & (
  | { readonly value: Value }
  | { readonly error: unknown }
);

function attempt<Input, Value>(decode: (input: Input) => Value, input: Input): Outcome<Value> {
  const startedAt = performance.now();
  try {
    const value = decode(input);
    return { value, elapsedMs: performance.now() - startedAt };
  } catch (error) {
    return { error, elapsedMs: performance.now() - startedAt };
  }
}

function checkError(error: unknown, refuses: (error: unknown) => boolean = isPeersFault): void {
  if (!refuses(error)) throw error;
  if (error instanceof Error && error.message.length > maxMessageLength) {
    throw new Error(`the message of the error has ${error.message.length} characters`, { cause: error });
  }
}

function checkSize(value: unknown, input: unknown): void {
  const size = sizeOf(value);
  const most = maxGrowth * sizeOf(input) + freeBytes;
  if (size > most) throw new Error(`the value takes ${size} bytes, more than ${most}`);
}

/** Roughly what a value takes in memory, in bytes. */
function sizeOf(value: unknown, seen: Set<object> = new Set()): number {
  if (typeof value === 'string') return 16 + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  if (seen.has(value)) return 8;
  seen.add(value);
  // The memory behind a view is held as long as the view is.
  if (ArrayBuffer.isView(value)) return 64 + Math.min(value.buffer.byteLength, 8_192 + value.byteLength);
  return Object.entries(value).reduce((sum, [key, each]) => sum + 16 + key.length + sizeOf(each, seen), 16);
}
