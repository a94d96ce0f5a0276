/**
 * The device API over AMQP, spoken with bare rhea in the manner of the official clients: their addresses, bodies,
 * correlation ids and SASL, or none. Oracle: what those clients accept, as their sources show it.
 */
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import rhea from 'rhea';
import type { Message } from 'rhea';
import { describe, expect, test } from 'vitest';
import type { EmulatorEvent } from '../src/index.ts';
import { startEmulator } from '../src/index.ts';
import { buildCertificate } from '../src/certificate/certificate.ts';
import { connectAmqp, mechanism } from './support/amqp-client.ts';
import type { AmqpClient, AmqpClientOptions } from './support/amqp-client.ts';
import { deviceToken, softwareTpm } from './support/software-tpm.ts';

const registrationId = 'amqp-device';

async function amqpFixture(): Promise<
  AsyncDisposable & {
    readonly emulator: Awaited<ReturnType<typeof startEmulator>>;
    readonly events: EmulatorEvent[];
    /** Where AMQP is served: over TLS, and over WebSockets on both HTTPS ports. */
    readonly urls: readonly string[];
    readonly connect: (options?: Partial<AmqpClientOptions>) => Promise<AmqpClient>;
  }
> {
  const events: EmulatorEvent[] = [];
  const emulator = await startEmulator({ retryAfterSeconds: 3, onEvent: (event) => events.push(event) });
  const { amqp, service } = emulator.endpoints;
  return {
    emulator,
    events,
    urls: [amqp, `${service.replace('https', 'wss')}/$iothub/websocket?iothub-no-client-cert=true`],
    connect: (options) => connectAmqp({ url: amqp, ca: emulator.caPem, ...options }),
    [Symbol.asyncDispose]: () => emulator.stop(),
  };
}

function plain(username: string, password: string): Readonly<Record<string, unknown>> {
  return { PLAIN: mechanism(Buffer.from(`\0${username}\0${password}`)) };
}

async function enrollKey(
  emulator: Awaited<ReturnType<typeof startEmulator>>,
): Promise<{ readonly address: string; readonly token: string }> {
  const { primaryKey } = await emulator.createSymmetricKeyEnrollment({ registrationId });
  const { idScope } = emulator;
  const expiresAt = Date.now() + 60_000;
  const token = await deviceToken({ idScope, registrationId, key: primaryKey.reveal(), expiresAt });
  return { address: `${idScope}/registrations/${registrationId}`, token };
}

const registerMessage = (body: unknown = {}): Message => ({
  application_properties: { 'iotdps-operation-type': 'iotdps-register' },
  body: rhea.message.data_section(Buffer.from(body === '' ? '' : JSON.stringify(body))) as unknown,
});
const pollMessage = (operationId: string): Message => ({
  application_properties: {
    'iotdps-operation-type': 'iotdps-get-operationstatus',
    'iotdps-operation-id': operationId,
  },
  body: '',
});
const bodyOf = (message: Message): Record<string, unknown> =>
  JSON.parse(String((message.body as { content: Buffer }).content)) as Record<string, unknown>;

test('a device with a key registers over TLS and over WebSockets, and finds both spellings of the pause', async () => {
  await using fixture = await amqpFixture();
  const { address, token } = await enrollKey(fixture.emulator);
  for (const url of fixture.urls) {
    await using client = await fixture.connect({ url, mechanisms: plain(address, token) });
    const links = await client.attach(address);
    const accepted = await links.request({ ...registerMessage({ registrationId }), correlation_id: 'id-1' });
    expect(accepted).toMatchObject({
      correlation_id: 'id-1',
      application_properties: { 'iotdps-status': 'assigning', 'retry-after': 3, 'Retry-After': 3 },
    });
    expect((accepted.body as { typecode: number }).typecode).toBe(0x75);
    const { operationId } = bodyOf(accepted);
    const done = await links.request(pollMessage(String(operationId)));
    expect(bodyOf(done)).toMatchObject({
      status: 'assigned',
      registrationState: { deviceId: registrationId, assignedHub: fixture.emulator.assignedHub },
    });
    // C logs an error for an answer without application properties.
    expect(done.application_properties).toEqual({ 'iotdps-status': 'assigned' });
  }
});

test('a device with a TPM is challenged in two segments, and its keys of SASL count without a body', async () => {
  await using fixture = await amqpFixture();
  const { emulator } = fixture;
  const { idScope } = emulator;
  const tpm = softwareTpm();
  await emulator.createTpmEnrollment({ registrationId, endorsementKey: tpm.endorsementKey });
  const controls: string[] = [];
  const segments: Buffer[] = [];
  const initial = Buffer.concat([Buffer.from(`\0${idScope}\0${registrationId}\0`), tpm.endorsementKey]);
  const sasl = mechanism(initial, async (challenge) => {
    controls.push(challenge.toString('hex', 0, 1));
    if (challenge.length === 1) return Buffer.concat([Buffer.of(0), tpm.storageRootKey]);
    expect(challenge.length).toBeLessThanOrEqual(471);
    segments.push(challenge.subarray(1));
    if (challenge[0] === 0x80) return Buffer.of(0);
    const key = tpm.open(Buffer.concat(segments));
    const token = await deviceToken({ idScope, registrationId, key, expiresAt: Date.now() + 60_000 });
    return Buffer.from(`\0${token}`);
  });
  await using client = await fixture.connect({ mechanisms: { TPM: sasl } });
  // Java takes nothing but these three.
  expect(controls).toEqual(['00', '80', 'c1']);
  // C# sends no body.
  const links = await client.attach(`/${idScope}/registrations/${registrationId}`);
  const { operationId } = bodyOf(await links.request(registerMessage('')));
  const done = bodyOf(await links.request(pollMessage(String(operationId))));
  const { tpm: hub } = done['registrationState'] as { tpm: { authenticationKey: string } };
  expect(tpm.open(Buffer.from(hub.authenticationKey, 'base64'))).toHaveLength(32);
});

describe('a device with a certificate', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = { commonName: registrationId, organization: 'Test' };
  const certificatePem = buildCertificate({
    subject: name,
    issuer: name,
    subjectKey: privateKey,
    issuerKey: privateKey,
    notBefore: Date.now() - 60_000,
    notAfter: Date.now() + 3_600_000,
    role: { kind: 'authority' },
  });
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

  test.each([
    ['without a SASL layer', undefined],
    ['with EXTERNAL', { EXTERNAL: mechanism(new Uint8Array()) }],
    ['with ANONYMOUS', { ANONYMOUS: mechanism(Buffer.from('anonymous')) }],
  ])('registers %s', async (_title, mechanisms) => {
    await using fixture = await amqpFixture();
    const { emulator } = fixture;
    await emulator.createX509Enrollment({ registrationId, primaryCertificate: certificatePem });
    await using client = await fixture.connect({
      certificate: { certificatePem, privateKeyPem },
      ...(mechanisms === undefined ? {} : { mechanisms }),
    });
    // C writes a whole address.
    const links = await client.attach(
      `amqps://localhost/${emulator.idScope}/registrations/${registrationId}`,
    );
    expect(bodyOf(await links.request(registerMessage({})))).toMatchObject({ status: 'assigning' });
  });
});

test.each([
  ['text', 'an id'],
  ['a uuid', Buffer.from('00112233445566778899aabbccddeeff', 'hex')],
  ['a number', 7],
])('a correlation id that is %s comes back as it is', async (_title, correlation_id) => {
  await using fixture = await amqpFixture();
  const { address, token } = await enrollKey(fixture.emulator);
  await using client = await fixture.connect({ mechanisms: plain(address, token) });
  const links = await client.attach(address);
  const answer = await links.request({ ...registerMessage({}), correlation_id });
  expect(answer.correlation_id).toEqual(correlation_id);
});

describe('refused', () => {
  test.each([
    [
      'a forged token',
      'amqp-device',
      'SharedAccessSignature sr=a&sig=YQ%3D%3D&se=9999999999&skn=registration',
    ],
    ['a device that is not enrolled', 'nobody', 'SharedAccessSignature sr=a&sig=YQ%3D%3D&se=9999999999'],
    ['no token', 'amqp-device', ''],
  ])('by a SASL outcome: %s', async (_title, id, password) => {
    await using fixture = await amqpFixture();
    await enrollKey(fixture.emulator);
    const username = `${fixture.emulator.idScope}/registrations/${id}`;
    await expect(fixture.connect({ mechanisms: plain(username, password) })).rejects.toMatchObject({
      condition: 'amqp:unauthorized-access',
      description: expect.stringContaining(': 1') as unknown,
    });
    expect(fixture.events.at(-1)).toMatchObject({
      event: 'request-refused',
      reason: expect.any(String) as unknown,
    });
  });

  test.each([
    [
      'an endorsement key that is not the enrolled one',
      (key: Uint8Array) => Uint8Array.from(key).fill(1, 100),
    ],
    ['no endorsement key', () => new Uint8Array()],
  ])('by a SASL outcome: %s', async (_title, change) => {
    await using fixture = await amqpFixture();
    const { emulator } = fixture;
    const tpm = softwareTpm();
    await emulator.createTpmEnrollment({ registrationId, endorsementKey: tpm.endorsementKey });
    const names = Buffer.from(`\0${emulator.idScope}\0${registrationId}\0`);
    const sasl = mechanism(Buffer.concat([names, change(tpm.endorsementKey)]), () =>
      Buffer.concat([Buffer.of(0), tpm.storageRootKey]),
    );
    await expect(fixture.connect({ mechanisms: { TPM: sasl } })).rejects.toMatchObject({
      condition: 'amqp:unauthorized-access',
    });
  });

  test('by a detach: a link to another registration, to another node, and to any without proof', async () => {
    await using fixture = await amqpFixture();
    const { address, token } = await enrollKey(fixture.emulator);
    await using client = await fixture.connect({ mechanisms: plain(address, token) });
    await expect(client.attach(`${fixture.emulator.idScope}/registrations/other`)).rejects.toMatchObject({
      condition: 'amqp:not-found',
      description: expect.stringContaining('404201') as unknown,
    });
    await expect(client.attach('a/b/c')).rejects.toMatchObject({ condition: 'amqp:not-found' });
    await using anonymous = await fixture.connect({ mechanisms: { ANONYMOUS: mechanism(Buffer.from('a')) } });
    await expect(anonymous.attach(address)).rejects.toMatchObject({ condition: 'amqp:unauthorized-access' });
  });

  test.each([
    ['an unknown operation', { application_properties: { 'iotdps-operation-type': 'x' }, body: '' }, 400],
    ['no operation', { body: 'x' }, 400],
    [
      'a body that is no JSON',
      { ...registerMessage(), body: rhea.message.data_section(Buffer.from('{')) as unknown },
      400,
    ],
    ['another registration in the body', registerMessage({ registrationId: 'other' }), 400],
    ['an operation that does not exist', pollMessage('5.0.0'), 404],
  ])('by a disposition with the service code: %s', async (_title, message, status) => {
    await using fixture = await amqpFixture();
    const { address, token } = await enrollKey(fixture.emulator);
    await using client = await fixture.connect({ mechanisms: plain(address, token) });
    const links = await client.attach(address);
    const refusal = (await links.request(message).catch((error: unknown) => error)) as {
      description: string;
    };
    const { errorCode, trackingId } = JSON.parse(refusal.description) as Record<string, number>;
    expect(Math.floor((errorCode ?? 0) / 1000)).toBe(status);
    expect(trackingId).toMatch(/^[0-9a-f-]{36}$/);
    // The connection goes on.
    expect(bodyOf(await links.request(registerMessage({})))).toMatchObject({ status: 'assigning' });
  });

  test('by a disposition: a message without a link to answer on', async () => {
    await using fixture = await amqpFixture();
    const { address, token } = await enrollKey(fixture.emulator);
    await using client = await fixture.connect({ mechanisms: plain(address, token) });
    const links = await client.attach(address);
    links.receiver.close();
    await once(links.receiver, 'receiver_close');
    await expect(links.request(registerMessage({}))).rejects.toMatchObject({
      condition: 'com.microsoft:argument-error',
    });
  });
});

describe('bytes that are no AMQP', () => {
  const bytesFrom = async (socket: TLSSocket): Promise<string> => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    await once(socket, 'close');
    return Buffer.concat(chunks).toString('latin1');
  };
  const amqp = '414d515000010000';
  const sasl = '414d515003010000';

  test.each([
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex')],
    ['another version', '414d515000000901'],
    ['a frame of 2 GiB', `${amqp}7fffffff02000000`],
    [
      'an array of 4 Gi elements',
      `${amqp}0000002202000000005310c00b01f000000005ffffffff4500000000000000000000`,
    ],
    ['a message before it is open', `${amqp}0000000e02000000005314c00100`],
    ['a SASL response before its init', `${sasl}0000001202010000005343c0040140a00100`],
    ['a SASL frame of 600 bytes', `${sasl}0000025802010000`],
    ['an init without a mechanism', `${sasl}0000000e02010000005341c00100`],
    ['a mechanism that is not offered', `${sasl}0000001802010000005341c00b01a308746f537472696e67`],
  ])('end the connection, and no other: %s', async (_title, hex) => {
    await using fixture = await amqpFixture();
    const socket = connect({
      port: Number(new URL(fixture.emulator.endpoints.amqp).port),
      host: '127.0.0.1',
      servername: 'localhost',
      ca: fixture.emulator.caPem,
    });
    await once(socket, 'secureConnect');
    socket.write(Buffer.from(hex, 'hex'));
    await bytesFrom(socket);
    const { address, token } = await enrollKey(fixture.emulator);
    await using client = await fixture.connect({ mechanisms: plain(address, token) });
    await client.attach(address);
  });
});
