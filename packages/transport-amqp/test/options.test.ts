import { expect, test } from 'vitest';
import { createAmqpTransport } from '@endorse/transport-amqp';

test.each([
  ['no object', null, 'options'],
  ['a misspelt option', { webSockets: true }, 'options.webSockets'],
  ['a WebSocket that is no boolean', { webSocket: 'yes' }, 'options.webSocket'],
  ['a time of nothing', { connectTimeoutMs: 0 }, 'options.connectTimeoutMs'],
  ['a fraction', { handshakeTimeoutMs: 1.5 }, 'options.handshakeTimeoutMs'],
  ['a time without end', { replyTimeoutMs: Infinity }, 'options.replyTimeoutMs'],
  ['an API version that is none', { apiVersion: 'latest' }, 'options.apiVersion'],
  ['an agent with a line feed', { userAgent: 'a\nb' }, 'options.userAgent'],
  ['a CA that is none', { ca: 'x' }, 'options.ca'],
])('%s is refused by name', (_title, options, argument) => {
  expect(() => createAmqpTransport(options as never)).toThrowError(
    expect.objectContaining({ name: 'InvalidArgumentError', argument }),
  );
});

test('the manifest says which of the two it is', () => {
  expect(createAmqpTransport().capabilities).toMatchObject({ carrier: 'amqp', challenge: 'handshake' });
  expect(createAmqpTransport({ webSocket: true }).capabilities.carrier).toBe('amqp-ws');
});
