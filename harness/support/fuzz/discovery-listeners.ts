/** What listens on UDP in `@endorse/discovery`: the responder of a device, and the prober that takes its answers. */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { collectDevices, jsonDiscoveryCodec as codec, startResponder } from '@endorse/discovery';
import { mutatedBytes, mutatedJson } from '@endorse/fuzzing';
import * as fc from 'fast-check';
import { datagrams, gateway } from './discovery-decoders.ts';
import type { ListenerTarget, StartedListener } from './listener.ts';

/** How long a datagram may stay unanswered, in milliseconds. */
const answerMs = 5_000;

async function bind(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

async function startDeviceListener(): Promise<StartedListener> {
  const limits = { repliesPerSecond: 100_000, repliesPerSourcePerSecond: 100_000, maxReplyDelayMs: 0 };
  const responder = await startResponder({ device: gateway, port: 0, addresses: ['127.1.0.1'], ...limits });
  const socket = await bind();
  const send = (datagram: Uint8Array): void => socket.send(datagram, responder.port, '127.0.0.1');
  const serveOne = async (): Promise<void> => {
    const id = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');
    const answered = once(socket, 'message', { signal: AbortSignal.timeout(answerMs) });
    send(codec.encodeProbe({ id, maxReplyDelayMs: 0 }));
    let [message] = (await answered) as [Buffer];
    // Answers to probes that were only a little damaged may still arrive.
    while (codec.decodeReply(message).id !== id) {
      [message] = (await once(socket, 'message', { signal: AbortSignal.timeout(answerMs) })) as [Buffer];
    }
  };
  const probes = fc.oneof(
    mutatedBytes(datagrams.probes),
    mutatedJson(datagrams.probes.map((bytes) => Buffer.from(bytes).toString())).map((text) =>
      Buffer.from(text),
    ),
  );
  return {
    property: fc.asyncProperty(fc.array(probes, { minLength: 1, maxLength: 8 }), async (all) => {
      // UDP has no longer datagrams.
      for (const datagram of all) send(datagram.subarray(0, 65_000));
      await serveOne();
    }),
    serveOne,
    [Symbol.asyncDispose]: async () => {
      socket.close();
      await responder.stop();
    },
  };
}

async function startProber(): Promise<StartedListener> {
  const socket = await bind();
  const { port } = socket.address();
  let answers: readonly (string | Uint8Array)[] = [];
  socket.on('message', (probe, source) => {
    const { id } = codec.decodeProbe(probe);
    for (const answer of answers) {
      const text = Buffer.from(answer).toString('latin1').replaceAll('A'.repeat(22), id);
      socket.send(Buffer.from(text, 'latin1').subarray(0, 65_000), source.port, source.address);
    }
  });
  const discover = (expectedCount: number, windowMs: number) =>
    collectDevices({
      targets: [`127.0.0.1:${port}`],
      broadcast: false,
      windowMs,
      maxReplyDelayMs: 0,
      expectedCount,
    });
  const good = datagrams.replies.map((bytes) => Buffer.from(bytes).toString());
  return {
    property: fc.asyncProperty(fc.array(mutatedJson(good), { maxLength: 8 }), async (all) => {
      answers = all;
      const { devices } = await discover(1, 15);
      if (devices.length > all.length) throw new Error(`${devices.length} devices of ${all.length} answers`);
    }),
    serveOne: async () => {
      answers = good;
      const { devices } = await discover(1, answerMs);
      if (devices[0]?.announcement.serial !== gateway.serial) throw new Error('the device is not found');
    },
    [Symbol.asyncDispose]: async () => {
      await once(socket.close(), 'close');
    },
  };
}

/** Every target of the package that listens. */
export const discoveryListeners: readonly ListenerTarget[] = [
  { name: 'discovery responder', covers: ['discovery startResponder'], start: startDeviceListener },
  { name: 'discovery prober', covers: ['discovery discover'], start: startProber },
];
