import { describe, expect, test } from 'vitest';
import { assigning, openDevice, openTrustingDevice, signal } from './support/device.ts';
import { reply, startPeer, startTcpPeer } from './support/peer.ts';

const reason = new Error('the user pressed stop');

describe('an aborted request rejects with the reason of the signal', () => {
  test('before anything is sent', async () => {
    await using peer = await startPeer();
    await using device = openTrustingDevice(peer);
    const aborted = AbortSignal.abort(reason);
    await expect(device.session.register(device.register, { signal: aborted })).rejects.toBe(reason);
    expect(peer.open).toBe(0);
  });

  test('while connecting, and takes the socket down', async () => {
    const controller = new AbortController();
    await using peer = await startTcpPeer((socket) => socket.once('data', () => controller.abort(reason)));
    await using device = openDevice(`localhost:${peer.port}`);
    const registering = device.session.register(device.register, { signal: controller.signal });
    await expect(registering).rejects.toBe(reason);
    await expect.poll(() => peer.sockets.size).toBe(0);
  });

  test('while waiting for the answer, and takes the socket down', async () => {
    const controller = new AbortController();
    await using peer = await startPeer({ answer: () => controller.abort(reason) });
    await using device = openTrustingDevice(peer);
    const registering = device.session.register(device.register, { signal: controller.signal });
    await expect(registering).rejects.toBe(reason);
    await peer.until(() => peer.open === 0);
  });

  test('in the middle of the answer, and takes the socket down', async () => {
    const controller = new AbortController();
    await using peer = await startPeer({
      answer: ({ socket }) => {
        socket.write(
          'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{',
          () => controller.abort(reason),
        );
      },
    });
    await using device = openTrustingDevice(peer);
    const registering = device.session.register(device.register, { signal: controller.signal });
    await expect(registering).rejects.toBe(reason);
    await peer.until(() => peer.open === 0);
  });

  test('also a reason that is no error', async () => {
    const controller = new AbortController();
    await using peer = await startPeer({ answer: () => controller.abort('enough') });
    await using device = openTrustingDevice(peer);
    await expect(device.session.register(device.register, { signal: controller.signal })).rejects.toBe(
      'enough',
    );
  });

  test('and leaves no listener on the signal, however a request ends', async () => {
    const { signal: watched } = new AbortController();
    let listeners = 0;
    const add = watched.addEventListener.bind(watched);
    const remove = watched.removeEventListener.bind(watched);
    watched.addEventListener = (...given: Parameters<typeof add>) => {
      listeners += 1;
      add(...given);
    };
    watched.removeEventListener = (...given: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...given);
    };
    await using peer = await startPeer({
      answer: (request, index) => (index === 0 ? reply(request, 202, assigning) : request.socket.destroy()),
    });
    await using device = openTrustingDevice(peer);
    await device.session.register(device.register, { signal: watched });
    await expect(device.session.register(device.register, { signal: watched })).rejects.toThrow('lost');
    expect(listeners).toBe(0);
  });

  test('after which the session goes on with a new connection', async () => {
    const controller = new AbortController();
    await using peer = await startPeer({
      answer: (request, index) => (index === 0 ? controller.abort(reason) : reply(request, 202, assigning)),
    });
    await using device = openTrustingDevice(peer);
    const registering = device.session.register(device.register, { signal: controller.signal });
    await expect(registering).rejects.toBe(reason);
    expect((await device.session.register(device.register, { signal })).operation).toEqual(assigning);
    expect(peer.connections).toBe(2);
  });
});

describe('closing a session', () => {
  test('ends a running request with ERR_SESSION_CLOSED and leaves no socket', async () => {
    await using peer = await startPeer();
    const device = openTrustingDevice(peer);
    const registering = device.session.register(device.register, { signal });
    const settled = expect(registering).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' });
    await peer.until(() => peer.requests.length === 1);
    await device.session.close();
    await settled;
    await peer.until(() => peer.open === 0);
  });

  test('says goodbye with close_notify on an idle connection', async () => {
    let ended = false;
    await using peer = await startPeer({
      onSecure: (socket) => {
        socket.on('end', () => {
          ended = true;
        });
        // Without close_notify the end would arrive as an error.
        socket.on('error', () => {
          ended = false;
        });
      },
      answer: (request) => reply(request, 202, assigning),
    });
    const device = openTrustingDevice(peer);
    await device.session.register(device.register, { signal });
    await device.session.close();
    await peer.until(() => peer.open === 0);
    expect(ended).toBe(true);
  });

  test('while connecting leaves no socket', async () => {
    // A socket that nobody reads does not notice that its peer is gone.
    await using peer = await startTcpPeer((socket) => void socket.resume());
    const device = openDevice(`localhost:${peer.port}`);
    const registering = device.session.register(device.register, { signal });
    const settled = expect(registering).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' });
    await expect.poll(() => peer.sockets.size).toBe(1);
    await device.session.close();
    await settled;
    await expect.poll(() => peer.sockets.size).toBe(0);
  });

  test('right after a request began leaves no socket', async () => {
    await using peer = await startPeer();
    const device = openTrustingDevice(peer);
    const registering = device.session.register(device.register, { signal });
    const settled = expect(registering).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' });
    await device.session.close();
    await settled;
    expect(peer.open).toBe(0);
  });

  test('may be repeated, and every later request rejects with ERR_SESSION_CLOSED', async () => {
    await using peer = await startPeer();
    const { session, challenge, register, query } = openTrustingDevice(peer);
    await session.close();
    await Promise.all([session.close(), session[Symbol.asyncDispose]()]);
    const closed = { code: 'ERR_SESSION_CLOSED', fault: 'local' };
    await expect(session.getAuthenticationChallenge(challenge, { signal })).rejects.toMatchObject(closed);
    await expect(session.register(register, { signal })).rejects.toMatchObject(closed);
    await expect(session.queryOperationStatus(query, { signal })).rejects.toMatchObject(closed);
    expect(peer.open).toBe(0);
  });

  test('leaves nothing behind that keeps a process alive', async () => {
    // At most as many timers as before: one of the test runner's own may pass in between.
    const timers = countTimers();
    const peer = await startPeer({ answer: (request) => reply(request, 202, assigning) });
    const device = openTrustingDevice(peer);
    await device.session.register(device.register, { signal });
    await device.session.close();
    await peer[Symbol.asyncDispose]();
    while (countConnections() > 0 || countTimers() > timers) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
});

test('a second request while one is running is refused and does not disturb it', async () => {
  await using peer = await startPeer({ answer: (request) => reply(request, 202, assigning) });
  await using device = openTrustingDevice(peer);
  const first = device.session.register(device.register, { signal });
  await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
    code: 'ERR_LOCAL_STATE',
    state: 'busy',
  });
  expect((await first).operation).toEqual(assigning);
  expect(peer.requests).toHaveLength(1);
});

/** Timers that keep the event loop alive. */
function countTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

/** Connections, and look-ups of names, that keep the event loop alive. */
function countConnections(): number {
  return process.getActiveResourcesInfo().filter((name) => /TCP|TLS|GetAddrInfo/.test(name)).length;
}
