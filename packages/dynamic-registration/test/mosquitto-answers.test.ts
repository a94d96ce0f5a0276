/** Answers of a broker that are none. Oracle: the shape that mosquitto_dynamic_security(8) gives its answers. */
import { EventEmitter } from 'node:events';
import { Secret } from '@endorse/interface';
import { expect, test } from 'vitest';
import { createMosquittoDirectory } from '../src/server/index.ts';
import type { MosquittoConnection } from '../src/server/index.ts';
import { startStore } from './support/store-fixture.ts';

/** A broker that gives its answers to every command, with the correlation data of the command. */
function connectTo(...answers: readonly object[]): MosquittoConnection & EventEmitter {
  const broker = new EventEmitter();
  return Object.assign(broker, {
    subscribeAsync: async () => undefined,
    publishAsync: async (topic: string, message: string) => {
      const { commands } = JSON.parse(message) as { commands: { correlationData: string }[] };
      const correlationData = commands[0]?.correlationData;
      const responses = answers.map((answer) => ('none' in answer ? null : { correlationData, ...answer }));
      broker.emit('message', `${topic}/response`, Buffer.from(JSON.stringify({ responses })));
    },
  }) satisfies MosquittoConnection;
}

test('a response that is null is passed over, not an exception in the MQTT client', async () => {
  const directory = await createMosquittoDirectory(connectTo({ none: true }, { command: 'deleteClient' }));
  await expect(directory.remove('key')).resolves.toBeUndefined();
});

test.each([
  ['a list of clients that is none', { data: { clients: 'none' } }],
  ['data that is null', { data: null }],
])('%s holds no clients of ours', async (_title, answer) => {
  await using fixture = await startStore();
  const directory = await createMosquittoDirectory(connectTo(answer));
  await expect(directory.reconcile(fixture.store)).resolves.toBe(0);
});

test('an error that is no text is a refusal, not a success', async () => {
  const directory = await createMosquittoDirectory(connectTo({ error: { reason: 1 } }));
  const credential = { deviceId: 'd', accessKey: 'k', accessSecret: Secret.fromText('s') };
  await expect(directory.add(credential as never)).rejects.toMatchObject({ code: 'ERR_BROKER_REFUSED' });
});
