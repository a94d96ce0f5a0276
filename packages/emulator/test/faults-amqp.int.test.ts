/** Fault scripts over AMQP, spoken with bare rhea. What each rule means is tested in `faults.test.ts`; this is how AMQP hands it over. */
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import type { Emulator } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import rhea from 'rhea';
import type { Message } from 'rhea';
import { expect, test } from 'vitest';
import type { AmqpLinks } from './support/amqp-client.ts';
import { connectAmqp, mechanism } from './support/amqp-client.ts';
import { deviceToken, softwareTpm } from './support/software-tpm.ts';

const registrationId = 'amqp-device';

async function connectDevice(emulator: Emulator) {
  const { primaryKey } = await emulator.createSymmetricKeyEnrollment({ registrationId });
  const { idScope } = emulator;
  const token = await deviceToken({
    idScope,
    registrationId,
    key: primaryKey.reveal(),
    expiresAt: Date.now() + 60_000,
  });
  const address = `${idScope}/registrations/${registrationId}`;
  const PLAIN = mechanism(Buffer.from(`\0${address}\0${token}`));
  const client = await connectAmqp({
    url: emulator.endpoints.amqp,
    ca: emulator.caPem,
    mechanisms: { PLAIN },
  });
  return { client, links: await client.attach(address) };
}

const register: Message = {
  application_properties: { 'iotdps-operation-type': 'iotdps-register' },
  body: rhea.message.data_section(Buffer.from('{}')) as unknown,
};

const textOf = (message: Message): string => String((message.body as { content: Buffer }).content);

async function ask({ request }: AmqpLinks): Promise<Message> {
  return request(register);
}

test('errors, late answers, bodies that are cut off and called something else', async () => {
  await using emulator = await startEmulator();
  const { client, links } = await connectDevice(emulator);
  const { faults } = emulator;
  await using _client = client;
  faults.add({ carrier: 'amqp', count: 1, fault: { kind: 'status', status: 429, retryAfterSeconds: 4 } });
  await expect(ask(links)).rejects.toMatchObject({ condition: expect.stringMatching(/./) as string });
  faults.add({ carrier: 'http', fault: { kind: 'drop', when: 'before-handling' } });
  const whole = textOf(await ask(links));
  faults.add({ count: 1, fault: { kind: 'truncate', keepBytes: 5 } });
  faults.add({ count: 1, fault: { kind: 'content-type', contentType: 'text/html' } });
  faults.add({ count: 1, fault: { kind: 'delay', delayMs: 1 } });
  const spoiled = await ask(links);
  expect([textOf(spoiled), spoiled.content_type]).toEqual([whole.slice(0, 5), 'text/html']);
  expect(faults.list().map(({ hits }) => hits)).toEqual([1, 0, 1, 1, 1]);
});

test('a connection that is dropped', async () => {
  await using emulator = await startEmulator();
  const { client, links } = await connectDevice(emulator);
  emulator.faults.add({ operation: 'register', fault: { kind: 'drop', when: 'after-handling' } });
  const gone = once(client.connection, 'disconnected');
  links.sender.send(register);
  await gone;
});

test('a challenge in SASL with a flipped bit, and one that is dropped', async () => {
  await using emulator = await startEmulator();
  const { idScope } = emulator;
  const tpm = softwareTpm();
  await emulator.createTpmEnrollment({ registrationId, endorsementKey: tpm.endorsementKey });
  const openChallenge = async () => {
    const segments: Buffer[] = [];
    const initial = Buffer.concat([Buffer.from(`\0${idScope}\0${registrationId}\0`), tpm.endorsementKey]);
    const TPM = mechanism(initial, async (challenge) => {
      if (challenge.length === 1) return Buffer.concat([Buffer.of(0), tpm.storageRootKey]);
      segments.push(challenge.subarray(1));
      if (challenge[0] === 0x80) return Buffer.of(0);
      const key = Buffer.alloc(32);
      const token = await deviceToken({ idScope, registrationId, key, expiresAt: Date.now() + 60_000 });
      return Buffer.from(`\0${token}`);
    });
    // The key of the answer is a wrong one: nobody is let in, and the challenge is what counts.
    const options = { url: emulator.endpoints.amqp, ca: emulator.caPem, mechanisms: { TPM } };
    await expect(connectAmqp(options)).rejects.toThrow();
    return Buffer.concat(segments);
  };
  emulator.faults.add({
    operation: 'request-challenge',
    count: 1,
    fault: { kind: 'flip-blob', field: 'duplicate' },
  });
  const flipped = await openChallenge();
  expect(() => tpm.open(flipped)).toThrow();
  expect(tpm.open(await openChallenge())).toHaveLength(32);
  emulator.faults.add({
    operation: 'request-challenge',
    count: 1,
    fault: { kind: 'drop', when: 'before-handling' },
  });
  expect(await openChallenge()).toHaveLength(0);
});

test('an expired certificate', async () => {
  await using emulator = await startEmulator({
    faults: [{ carrier: 'amqp', count: 1, fault: { kind: 'expired-certificate' } }],
  });
  const port = Number(new URL(emulator.endpoints.amqp).port);
  const connect = async (): Promise<void> => {
    const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: emulator.caPem });
    try {
      await once(socket, 'secureConnect');
    } finally {
      socket.destroy();
    }
  };
  await expect(connect()).rejects.toMatchObject({ code: 'CERT_HAS_EXPIRED' });
  await connect();
});
