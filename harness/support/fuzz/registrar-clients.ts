/** What listens to a registrar or a broker in `@endorse/dynamic-registration`: a broker's administrator, and a device. */
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  acknowledge,
  ensureRegistered,
  fetchDevice,
  rotateCredentials,
} from '@endorse/dynamic-registration/client';
import type { MosquittoConnection } from '@endorse/dynamic-registration/server';
import { createMosquittoDirectory } from '@endorse/dynamic-registration/server';
import type { RecordedSession } from '@endorse/fuzzing';
import { mutatedJson, mutatedSession } from '@endorse/fuzzing';
import { Secret, isEndorseError } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import * as fc from 'fast-check';
import type { StartedListener } from './listener.ts';
import { issue, mint, openTestStore } from './registrar-fixture.ts';

/** In the answers below: what the broker repeats of the command. */
const correlation = 'CORRELATION';

/** A broker's administrator hears answers of any kind. */
export async function startDirectory(): Promise<StartedListener> {
  const store = await openTestStore();
  const credential = await issue(store);
  const good = JSON.stringify({
    responses: [
      {
        command: 'listClients',
        correlationData: correlation,
        data: { totalCount: 1, clients: [{ username: 'u', textname: 'endorse device' }] },
      },
    ],
  });
  let answer: string | Uint8Array = good;
  const broker = new EventEmitter();
  const connection = Object.assign(broker, {
    subscribeAsync: async () => undefined,
    publishAsync: async (topic: string, message: string) => {
      const id = /"correlationData":"([^"]+)"/.exec(message)?.[1] ?? '';
      const text = Buffer.from(answer).toString('latin1').replaceAll(correlation, id);
      broker.emit('message', `${topic}/response`, Buffer.from(text, 'latin1'));
    },
  }) as unknown as MosquittoConnection;
  // The answer is there already, so nobody waits as long as for a broker that is away.
  const clock = {
    ...systemClock,
    sleep: (_delayMs: number, signal: AbortSignal) => systemClock.sleep(1, signal),
  };
  const directory = await createMosquittoDirectory(connection, { clock });
  return {
    property: fc.asyncProperty(mutatedJson([good]), async (payload) => {
      answer = payload;
      await expectOurs(directory.add(credential));
      await expectOurs(directory.reconcile(store));
    }),
    serveOne: async () => {
      answer = good;
      await directory.add(credential);
    },
    [Symbol.asyncDispose]: async () => {
      await directory.close();
      await store.close();
    },
  };
}

/** Ends a device's patience. */
const noSecondAttempt = new Error('no second attempt');

/** A registrar that answers anything, and a state file that holds anything. */
export async function startDevice(): Promise<StartedListener> {
  const directory = await mkdtemp(join(tmpdir(), 'endorse-fuzz-'));
  const stateFile = join(directory, 'credentials.json');
  const sockets = new Set<Socket>();
  let session: RecordedSession = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat(session)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/register-device`;
  const answerOf = (body: string): Uint8Array =>
    Buffer.from(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nRegistration-Outcome: created\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  const reply = { deviceId: 'd', accessKey: 'k', accessSecret: 's', broker: 'mqtts://broker.example.com' };
  const replies = [
    reply,
    { deviceId: 'd', accessKey: 'k', wrappedSecret: { idObject: 'AAAA', encryptedSecret: 'AAAA' } },
  ];
  const state = JSON.stringify({ proof: 'A'.repeat(43), manufacturerId: 'SN-1' });
  const token = Secret.fromText(await mint());
  const identity = { accessKey: 'k', accessSecret: Secret.fromText('s') };
  const call = { url, allowPlainHttp: true, timeoutMs: 500 };
  const sessions = [...replies, { code: 'token-refused' }].map((each) => [answerOf(JSON.stringify(each))]);
  const inputs = fc.tuple(
    fc.oneof(
      mutatedSession(sessions),
      mutatedJson(replies.map((each) => JSON.stringify(each))).map((body) => [
        answerOf(Buffer.from(body).toString('utf8')),
      ]),
    ),
    mutatedJson([state, JSON.stringify({ ...reply, proof: 'A' })]),
  );
  const register = () => {
    // A registrar that fails would be asked again and again.
    const options = {
      token,
      manufacturerId: 'SN-1',
      stateFile,
      url,
      allowPlainHttp: true,
      deadlineMs: 1_000,
      attemptTimeoutMs: 500,
    };
    const clock = { ...systemClock, sleep: () => Promise.reject(noSecondAttempt) };
    return ensureRegistered({ ...options, clock });
  };
  return {
    property: fc.asyncProperty(inputs, async ([answer, stored]) => {
      session = answer;
      await expectOurs(fetchDevice(identity, call));
      await expectOurs(acknowledge(identity, call));
      await writeFile(stateFile, stored);
      await expectOurs(rotateCredentials(identity, { ...call, stateFile }));
      await writeFile(stateFile, stored);
      await expectOurs(register(), (error) => error === noSecondAttempt);
    }),
    serveOne: async () => {
      session = [answerOf(JSON.stringify(reply))];
      await rm(stateFile, { force: true });
      const { deviceId } = await register();
      if (deviceId !== 'd') throw new Error(`registered as ${deviceId}`);
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function expectOurs(
  outcome: Promise<unknown>,
  also: (error: unknown) => boolean = () => false,
): Promise<void> {
  try {
    await outcome;
  } catch (error) {
    if (!isEndorseError(error) && !also(error)) throw error;
  }
}
