/** Oracle: rhea's own encoder, whose frames have to pass, and its decoder, which has to be safe with what passed. */
import { createRequire } from 'node:module';
import { isEndorseError } from '@endorse/interface';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AmqpFrameGuard, defaultAmqpFrameLimits } from '@endorse/protocol';
import { thrownBy } from './vectors.ts';

const require = createRequire(import.meta.url);
type Performative = Readonly<Record<string, unknown>>;
/** The inside of rhea; it has no types. */
const frames = require('rhea/lib/frames.js') as Readonly<
  Record<
    | 'open'
    | 'begin'
    | 'attach'
    | 'flow'
    | 'disposition'
    | 'detach'
    | 'close'
    | 'sasl_init'
    | 'sasl_outcome'
    | 'transfer',
    (fields: Performative) => Performative
  >
> & {
  amqp_frame(channel: number, performative?: Performative, payload?: Uint8Array): Performative;
  sasl_frame(performative: Performative): Performative;
  write_frame(frame: Performative): Buffer;
  read_frame(bytes: Buffer): { readonly payload?: Buffer };
};
const { message } = require('rhea') as {
  readonly message: {
    encode(message: Performative): Buffer;
    decode(bytes: Buffer): Performative;
    data_section(bytes: Buffer): unknown;
  };
};

const saslHeader = Buffer.from('414d515003010000', 'hex');
const amqpHeader = Buffer.from('414d515000010000', 'hex');
const amqp = (performative?: Performative, payload?: Uint8Array, channel = 0): Buffer =>
  frames.write_frame(frames.amqp_frame(channel, performative, payload));
const payload = message.encode({
  application_properties: { 'iotdps-operation-type': 'iotdps-register', flag: true, count: 7 },
  correlation_id: 'an id',
  body: message.data_section(Buffer.from('{"registrationId":"r"}')),
});
const transfer = (more: boolean, bytes: Uint8Array, handle = 0): Buffer =>
  amqp(frames.transfer({ handle, delivery_id: 0, delivery_tag: Buffer.of(1), more }), bytes);

const conversation = [
  saslHeader,
  frames.write_frame(
    frames.sasl_frame(frames.sasl_init({ mechanism: 'TPM', initial_response: Buffer.alloc(382) })),
  ),
  frames.write_frame(frames.sasl_frame(frames.sasl_outcome({ code: 0 }))),
  amqpHeader,
  amqp(frames.open({ container_id: 'c', hostname: 'h', properties: { a: 'b' } })),
  amqp(frames.begin({ next_outgoing_id: 0, incoming_window: 1, outgoing_window: 1 })),
  amqp(frames.attach({ name: 'n', handle: 0, role: true, properties: { 'com.microsoft:api-version': 'x' } })),
  amqp(
    frames.flow({ incoming_window: 1, next_outgoing_id: 0, outgoing_window: 1, handle: 0, link_credit: 5 }),
  ),
  amqp(),
  transfer(false, payload),
  transfer(true, payload.subarray(0, 20)),
  transfer(true, payload.subarray(20, 40)),
  transfer(false, payload.subarray(40)),
  amqp(frames.disposition({ role: true, first: 0, last: 2, settled: true })),
  amqp(frames.detach({ handle: 0, closed: true })),
  amqp(frames.close({ error: { condition: 'amqp:not-found', description: 'd' } })),
];
const bytes = Buffer.concat(conversation);

/** Feeds chunks to a guard, and what comes out to rhea's decoder. */
function feed(chunks: readonly Uint8Array[]): Buffer[] {
  const guard = new AmqpFrameGuard();
  return chunks.flatMap((chunk) => guard.push(chunk)).map((frame) => Buffer.from(frame));
}

function pieces(whole: Buffer, cuts: readonly number[]): Buffer[] {
  const bounds = [0, ...cuts.toSorted((left, right) => left - right), whole.byteLength];
  return bounds.slice(1).map((end, index) => whole.subarray(bounds[index], end));
}

test('frames of rhea come out whole and in order, however they are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: bytes.byteLength }), { maxLength: 40 }), (cuts) => {
      expect(feed(pieces(bytes, cuts)).map((frame) => frame.toString('hex'))).toEqual(
        conversation.map((frame) => frame.toString('hex')),
      );
    }),
    { numRuns: 50 },
  );
  expect(feed([...bytes].map((byte) => Buffer.of(byte)))).toHaveLength(conversation.length);
});

test('whatever arrives, the guard returns frames or throws one typed error, and then nothing', () => {
  const mutation = fc.record({ at: fc.nat({ max: bytes.byteLength - 1 }), value: fc.nat({ max: 255 }) });
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), (mutations) => {
      const damaged = Buffer.from(bytes);
      for (const { at, value } of mutations) damaged[at] = value;
      const guard = new AmqpFrameGuard();
      let passed: readonly Uint8Array[] = [];
      try {
        passed = guard.push(damaged);
      } catch (error) {
        if (!isEndorseError(error) || error.fault !== 'peer') throw error;
        expect(guard.push(bytes)).toEqual([]);
      }
      for (const frame of passed
        .map((each) => Buffer.from(each))
        .filter((each) => each.toString('latin1', 0, 4) !== 'AMQP')) {
        // It may dislike a type code or a missing field, but it must not run away.
        try {
          frames.read_frame(frame);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('noise is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 100 }), (noise) => {
      fc.pre(Buffer.from(noise).toString('latin1', 0, 4) !== 'AMQP');
      expect(thrownBy(() => new AmqpFrameGuard().push(noise))).toMatchObject({
        code: 'ERR_REMOTE_MALFORMED',
      });
    }),
  );
});

describe('the guard refuses', () => {
  const inAmqp = (...more: readonly Uint8Array[]): unknown => thrownBy(() => feed([amqpHeader, ...more]));
  const inSasl = (...more: readonly Uint8Array[]): unknown => thrownBy(() => feed([saslHeader, ...more]));
  const frame = (bodyHex: string, type = 0): Buffer => {
    const body = Buffer.from(bodyHex, 'hex');
    const header = Buffer.alloc(8);
    header.writeUInt32BE(8 + body.byteLength);
    header[4] = 2;
    header[5] = type;
    return Buffer.concat([header, body]);
  };
  const tooLarge = { code: 'ERR_REMOTE_TOO_LARGE' };
  const malformed = { code: 'ERR_REMOTE_MALFORMED' };

  test.each([
    ['another protocol', () => thrownBy(() => feed([Buffer.from('HTTP/1.1 400 Bad Request')])), malformed],
    ['another version', () => thrownBy(() => feed([Buffer.from('414d515000000901', 'hex')])), malformed],
    ['TLS inside', () => thrownBy(() => feed([Buffer.from('414d515002010000', 'hex')])), malformed],
    ['a second header', () => inAmqp(amqpHeader), malformed],
    ['SASL after AMQP', () => inAmqp(saslHeader), malformed],
    ['a frame of 2 GiB', () => inAmqp(Buffer.from('7fffffff02000000', 'hex')), tooLarge],
    ['a frame of 4 bytes', () => inAmqp(Buffer.from('0000000402000000', 'hex')), malformed],
    ['a SASL frame of 513 bytes', () => inSasl(Buffer.from('0000020102010000', 'hex')), tooLarge],
    ['an AMQP frame in SASL', () => inSasl(amqp(frames.open({ container_id: 'c' }))), malformed],
    ['an empty SASL frame', () => inSasl(frame('', 1)), malformed],
    [
      'a header that reaches behind the frame',
      () => inAmqp(Buffer.from('0000000803000000', 'hex')),
      malformed,
    ],
    ['a performative that does not exist', () => inAmqp(frame('00532045')), malformed],
    ['a symbol as descriptor', () => inAmqp(frame('00a3016145')), malformed],
    ['a value without a descriptor', () => inAmqp(frame('45')), malformed],
    ['a performative that is no list', () => inAmqp(frame('005310a10161')), malformed],
    ['a list of 4 Gi items', () => inAmqp(frame('005310d000000004ffffffff')), malformed],
    ['an array of 4 Gi empty elements', () => inAmqp(frame('005310c00b01f000000005ffffffff45')), malformed],
    ['a size behind the end', () => inAmqp(frame('005310c0050' + '1a1ff00')), malformed],
    ['a size that leaves bytes over', () => inAmqp(frame('005310c003014040')), malformed],
    ['nesting without end', () => inAmqp(frame(`005310${'00'.repeat(200)}45`)), malformed],
    [
      'a disposition of 4 Gi deliveries',
      () => inAmqp(amqp(frames.disposition({ role: true, first: 1, last: 0xffff_ffff }))),
      tooLarge,
    ],
    ['a message that is none', () => inAmqp(transfer(false, Buffer.from('a10161', 'hex'))), malformed],
    ['a message that ends too early', () => inAmqp(transfer(false, payload.subarray(0, -1))), malformed],
  ])('%s', (_title, refused, expected) => {
    expect(refused()).toMatchObject(expected);
  });

  test('an array of 4 Gi empty elements inside a message', () => {
    const section = Buffer.from('005377f000000005ffffffff45', 'hex');
    expect(inAmqp(transfer(false, section))).toMatchObject(malformed);
  });

  test('a message that grows and grows, and many that never end', () => {
    const piece = Buffer.alloc(60_000);
    const endless = Array.from({ length: 20 }, () => transfer(true, piece));
    expect(inAmqp(...endless)).toMatchObject(tooLarge);
    const many = Array.from({ length: 20 }, (_unused, handle) => transfer(true, piece, handle));
    expect(inAmqp(...many)).toMatchObject(tooLarge);
    const empty = Array.from({ length: 20_000 }, () => transfer(true, Buffer.alloc(0)));
    expect(inAmqp(Buffer.concat(empty))).toMatchObject(tooLarge);
  });

  test('a message in many empty pieces costs as much as they are, not as their square', () => {
    const elapsedMs = (count: number): number => {
      const sent = Buffer.concat([
        amqpHeader,
        ...Array.from({ length: count }, () => transfer(true, Buffer.alloc(0))),
      ]);
      const startedAt = performance.now();
      new AmqpFrameGuard().push(sent);
      return performance.now() - startedAt;
    };
    const fastest = (count: number): number => Math.min(...[1, 2, 3].map(() => elapsedMs(count)));
    fastest(16_000);
    expect(fastest(16_000)).toBeLessThan(10 * fastest(4_000));
  });

  test('more sessions and links than anybody needs', () => {
    const begins = Array.from({ length: defaultAmqpFrameLimits.maxEndpoints + 1 }, (_unused, channel) =>
      amqp(frames.begin({ next_outgoing_id: 0, incoming_window: 1, outgoing_window: 1 }), undefined, channel),
    );
    expect(inAmqp(...begins)).toMatchObject(tooLarge);
  });
});
