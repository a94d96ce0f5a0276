/**
 * The SASL layer of AMQP, frame by frame and on nothing but TLS, because what a library makes of a frame is not what was
 * sent: OASIS AMQP 1.0, part 5.3. Only the types that occur in its five frames are known here.
 */
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import type { ServiceUnderTest } from '../../support/service/service-under-test.ts';
import { ProbeFailure } from '../probe.ts';

/** What the service sent. */
export interface SaslRecord {
  readonly mechanisms: readonly string[];
  /** How it wrote their list down. */
  readonly mechanismsType: 'array' | 'symbol';
  readonly challenges: readonly Uint8Array[];
  /** Of the outcome frame; undefined when the service hung up instead. */
  readonly outcome: number | undefined;
}

/** What the device sends. */
export interface SaslScript {
  readonly mechanism: string;
  readonly initialResponse: Uint8Array;
  /** Answers a challenge, with those before it. */
  respond(challenges: readonly Uint8Array[]): Promise<Uint8Array>;
}

const timeoutMs = 30_000;
const maxChallenges = 12;
const header = Buffer.from([0x41, 0x4d, 0x51, 0x50, 3, 1, 0, 0]);
const codes = { mechanisms: 0x40, init: 0x41, challenge: 0x42, response: 0x43, outcome: 0x44 } as const;

/** Goes through a SASL exchange to its outcome, on a connection of its own. */
export async function recordSasl(service: ServiceUnderTest, script: SaslScript): Promise<SaslRecord> {
  const { hostname, port } = new URL(service.endpoints.amqp);
  const socket = connect({ host: hostname, servername: hostname, port: Number(port), ca: service.caPem });
  socket.setTimeout(timeoutMs, () => socket.destroy(new ProbeFailure('no SASL frame in time')));
  try {
    await once(socket, 'secureConnect');
    socket.write(header);
    const frames = readFrames(socket);
    const offered = await nextFrame(frames);
    if (offered?.code !== codes.mechanisms) throw new ProbeFailure('no SASL mechanisms were offered');
    const [list] = offered.fields;
    const mechanisms = Array.isArray(list) ? list : [list];
    socket.write(frameOf(codes.init, [symbol(script.mechanism), binary(script.initialResponse)]));
    const challenges: Uint8Array[] = [];
    let frame = await nextFrame(frames);
    for (
      ;
      frame?.code === codes.challenge && challenges.length < maxChallenges;
      frame = await nextFrame(frames)
    ) {
      challenges.push(Buffer.from(frame.fields[0] as Uint8Array));
      socket.write(frameOf(codes.response, [binary(await script.respond(challenges))]));
    }
    return {
      mechanisms: mechanisms.map((name) => Buffer.from(name as Uint8Array).toString('ascii')),
      mechanismsType: Array.isArray(list) ? 'array' : 'symbol',
      challenges,
      outcome: frame?.code === codes.outcome ? (frame.fields[0] as number) : undefined,
    };
  } finally {
    socket.destroy();
  }
}

interface Frame {
  readonly code: number;
  readonly fields: readonly Value[];
}

type Value = number | null | Uint8Array | readonly Value[];

async function nextFrame(frames: AsyncIterator<Frame, void>): Promise<Frame | undefined> {
  const { value } = await frames.next();
  return value ?? undefined;
}

async function* readFrames(socket: TLSSocket): AsyncGenerator<Frame, void> {
  let received = Buffer.alloc(0);
  let isHeaderRead = false;
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk as Buffer]);
    if (!isHeaderRead && received.byteLength >= header.byteLength) {
      if (!received.subarray(0, header.byteLength).equals(header)) {
        throw new ProbeFailure('the service did not agree to SASL');
      }
      received = received.subarray(header.byteLength);
      isHeaderRead = true;
    }
    while (isHeaderRead && received.byteLength >= 8 && received.byteLength >= received.readUInt32BE(0)) {
      const size = received.readUInt32BE(0);
      // Three bytes before the list: described, a small number, which one.
      const body = received.subarray((received[4] ?? 2) * 4, size);
      yield { code: body[2] ?? 0, fields: readValue(body, 3).value as readonly Value[] };
      received = received.subarray(size);
    }
  }
}

function readValue(bytes: Buffer, at: number): { readonly value: Value; readonly end: number } {
  const code = bytes[at] ?? 0;
  const start = at + 1;
  const sized = (width: 1 | 4): { readonly value: Value; readonly end: number } => {
    const end = start + width + bytes.readUIntBE(start, width);
    return { value: bytes.subarray(start + width, end), end };
  };
  switch (code) {
    case 0x40:
      return { value: null, end: start };
    case 0x45:
      return { value: [], end: start };
    case 0x50:
      return { value: bytes[start] ?? 0, end: start + 1 };
    case 0xa0:
    case 0xa3:
      return sized(1);
    case 0xb0:
    case 0xb3:
      return sized(4);
    case 0xc0:
    case 0xd0:
    case 0xe0:
    case 0xf0:
      return readCollection(bytes, start, code);
    default:
      throw new ProbeFailure(`a SASL frame holds the AMQP type ${code.toString(16)}`);
  }
}

/** A list, whose members each have a type, or an array, whose members share one. */
function readCollection(
  bytes: Buffer,
  start: number,
  code: number,
): { readonly value: readonly Value[]; readonly end: number } {
  const width = code === 0xc0 || code === 0xe0 ? 1 : 4;
  const end = start + width + bytes.readUIntBE(start, width);
  const count = bytes.readUIntBE(start + width, width);
  let at = start + 2 * width;
  const values: Value[] = [];
  if (code === 0xc0 || code === 0xd0) {
    for (let index = 0; index < count; index += 1) {
      const member = readValue(bytes, at);
      values.push(member.value);
      at = member.end;
    }
    return { value: values, end };
  }
  const memberWidth = bytes[at] === 0xb3 ? 4 : 1;
  at += 1;
  for (let index = 0; index < count; index += 1) {
    const memberEnd = at + memberWidth + bytes.readUIntBE(at, memberWidth);
    values.push(bytes.subarray(at + memberWidth, memberEnd));
    at = memberEnd;
  }
  return { value: values, end };
}

function frameOf(code: number, fields: readonly Buffer[]): Buffer {
  const content = Buffer.concat(fields);
  const list = Buffer.alloc(9);
  list[0] = 0xd0;
  list.writeUInt32BE(content.byteLength + 4, 1);
  list.writeUInt32BE(fields.length, 5);
  const body = Buffer.concat([Buffer.from([0x00, 0x53, code]), list, content]);
  const head = Buffer.from([0, 0, 0, 0, 2, 1, 0, 0]);
  head.writeUInt32BE(head.byteLength + body.byteLength);
  return Buffer.concat([head, body]);
}

function symbol(text: string): Buffer {
  return Buffer.concat([Buffer.from([0xa3, text.length]), Buffer.from(text, 'ascii')]);
}

function binary(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head[0] = 0xb0;
  head.writeUInt32BE(bytes.byteLength, 1);
  return Buffer.concat([head, bytes]);
}
