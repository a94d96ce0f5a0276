import { expect, test } from 'vitest';
import { createMqttTransport } from '@endorse/transport-mqtt';

test.each([
  ['no object', null, 'options'],
  ['a misspelt option', { webSockets: true }, 'options.webSockets'],
  ['a WebSocket that is no boolean', { webSocket: 'yes' }, 'options.webSocket'],
  ['a time of nothing', { connectTimeoutMs: 0 }, 'options.connectTimeoutMs'],
  ['a fraction', { handshakeTimeoutMs: 1.5 }, 'options.handshakeTimeoutMs'],
  ['a time without end', { replyTimeoutMs: Infinity }, 'options.replyTimeoutMs'],
  ['a keep-alive beyond that of the service', { keepAliveSeconds: 1768 }, 'options.keepAliveSeconds'],
  ['an API version that is none', { apiVersion: 'latest' }, 'options.apiVersion'],
  ['an agent with a line feed', { userAgent: 'a\nb' }, 'options.userAgent'],
  ['a CA that is none', { ca: 'x' }, 'options.ca'],
])('%s is refused by name', (_title, options, argument) => {
  expect(() => createMqttTransport(options as never)).toThrowError(
    expect.objectContaining({ name: 'InvalidArgumentError', argument }),
  );
});

test('the manifest says which of the two it is, and why a TPM is left out', () => {
  expect(createMqttTransport().capabilities).toMatchObject({ carrier: 'mqtt', challenge: 'none' });
  expect(createMqttTransport({ webSocket: true }).capabilities).toMatchObject({
    carrier: 'mqtt-ws',
    refusals: { tpm: expect.stringMatching(/does not offer.*transport-http or transport-amqp/) as unknown },
  });
});

test('a TPM is refused before any IO, with the reason and what to use instead', () => {
  const target = { provisioningHost: 'dps.example.test', idScope: '0ne1', registrationId: 'device-1' };
  expect(() => createMqttTransport().openSession(target, { kind: 'tpm' })).toThrowError(
    expect.objectContaining({
      code: 'ERR_UNSUPPORTED_CAPABILITY',
      required: 'tpm',
      available: ['symmetric-key', 'x509'],
      message: expect.stringContaining('does not offer TPM attestation over MQTT') as unknown,
      remedy: 'Use @endorse/transport-http or @endorse/transport-amqp.',
    }),
  );
});
