/** Messages and errors between rhea's shape and ours. */
import type { AmqpError, AmqpMessage } from '@endorse/protocol';
import rhea from 'rhea';
import type { Message } from 'rhea';

/** What rhea sends for a request. */
export function toRheaMessage(
  { applicationProperties, body = '' }: AmqpMessage,
  correlationId: string,
): Message {
  return {
    application_properties: { ...applicationProperties },
    correlation_id: correlationId,
    body: typeof body === 'string' ? body : (rhea.message.data_section(Buffer.from(body)) as unknown),
  };
}

/** The part of an answer that is used; data sections are joined, and what is neither data nor text counts as no body. */
export function fromRheaMessage(message: Message): AmqpMessage {
  const { application_properties: applicationProperties = {} } = message;
  const body: unknown = message.body;
  if (typeof body === 'string') return { applicationProperties, body };
  const { typecode, content } = (body ?? {}) as { readonly typecode?: unknown; readonly content?: unknown };
  if (typecode !== dataSection) return { applicationProperties };
  const sections = (Array.isArray(content) ? content : [content]).filter((each) => Buffer.isBuffer(each));
  return { applicationProperties, body: Buffer.concat(sections) };
}

/** An error as rhea decoded it; undefined when there is none. */
export function fromRheaError(error: unknown): AmqpError | undefined {
  if (error === undefined || error === null || typeof error !== 'object') return undefined;
  const { condition, description, info } = error as Readonly<Record<string, unknown>>;
  return {
    condition: typeof condition === 'string' ? condition : 'amqp:internal-error',
    ...(typeof description === 'string' ? { description } : {}),
    ...(typeof info === 'object' && info !== null ? { info: info as Readonly<Record<string, unknown>> } : {}),
  };
}

const dataSection = 0x75;
