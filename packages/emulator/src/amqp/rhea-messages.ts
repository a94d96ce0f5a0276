/** Messages between rhea's shape and ours. */
import type { AmqpMessage } from '@endorse/protocol';
import rhea from 'rhea';
import type { Message } from 'rhea';

/** The part of a message that is used here; an application-properties section is always there when we send one. */
export function toAmqpMessage(message: Message): AmqpMessage {
  const body = bodyOf(message.body);
  return {
    applicationProperties: message.application_properties ?? {},
    ...(body === undefined ? {} : { body }),
  };
}

/** What rhea sends for an answer to a message with a correlation id. */
export function fromAmqpMessage(
  { applicationProperties, body = '' }: AmqpMessage,
  correlationId: unknown,
): Message {
  return {
    application_properties: { ...applicationProperties },
    ...(isCorrelationId(correlationId) ? { correlation_id: echo(correlationId) as string } : {}),
    body: typeof body === 'string' ? body : (rhea.message.data_section(Buffer.from(body)) as unknown),
  };
}

type CorrelationId = string | number | Buffer;

function isCorrelationId(value: unknown): value is CorrelationId {
  return typeof value === 'string' || typeof value === 'number' || Buffer.isBuffer(value);
}

/** The id as the AMQP type it came as: rhea writes every buffer as uuid, also one that was binary. */
function echo(id: CorrelationId): unknown {
  return Buffer.isBuffer(id) && id.byteLength !== 16 ? rhea.types.wrap_binary(id) : id;
}

/** Data sections joined, or text; anything else has no meaning here. */
function bodyOf(body: unknown): Uint8Array | string | undefined {
  if (typeof body === 'string') return body;
  const { typecode, content } = (body ?? {}) as { readonly typecode?: unknown; readonly content?: unknown };
  if (typecode !== dataSection) return undefined;
  const sections = (Array.isArray(content) ? content : [content]).filter((each) => Buffer.isBuffer(each));
  return Buffer.concat(sections);
}

const dataSection = 0x75;
