import { describe, expect, test } from 'vitest';
import type { PeerRequest } from './support/peer.ts';
import { assigning, challengeBody, openTrustingDevice, signal } from './support/device.ts';
import { reply, startPeer } from './support/peer.ts';

const json = 'application/json; charset=utf-8';
const html = { 'Content-Type': 'text/html' };

describe('an answer that cannot be used', () => {
  test.each<[string, (request: PeerRequest) => void, object]>([
    [
      'malformed JSON',
      (request) => reply(request, 202, '{"operationId": '),
      { code: 'ERR_REMOTE_MALFORMED' },
    ],
    ['JSON that is no object', (request) => reply(request, 200, '[1, 2]'), { code: 'ERR_REMOTE_MALFORMED' }],
    [
      'an unknown status word',
      (request) => reply(request, 200, { operationId: 'op', status: 'pondering' }),
      { code: 'ERR_REMOTE_UNEXPECTED' },
    ],
    [
      'a web page with status 200',
      (request) => reply(request, 200, '<html>Please log in</html>', html),
      { code: 'ERR_REMOTE_CONTENT_TYPE', retryable: false },
    ],
    [
      'a redirect, which is not followed',
      (request) => reply(request, 307, {}, { Location: 'https://elsewhere.example.test/' }),
      { code: 'ERR_REMOTE_REDIRECT', retryable: false },
    ],
    [
      'another protocol',
      ({ socket }) => void socket.write('220 mail.example.test ESMTP\r\n'),
      { code: 'ERR_REMOTE_MALFORMED' },
    ],
    [
      'an upgrade that nobody asked for',
      ({ socket }) =>
        void socket.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n'),
      { fault: 'transport' },
    ],
    [
      'a header without end',
      ({ socket }) => void socket.write(`HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`),
      { code: 'ERR_REMOTE_TOO_LARGE' },
    ],
    [
      'a body that its length says is too large',
      ({ socket }) =>
        void socket.write(`HTTP/1.1 200 OK\r\nContent-Type: ${json}\r\nContent-Length: 1048577\r\n\r\n{`),
      { code: 'ERR_REMOTE_TOO_LARGE', retryable: false },
    ],
    [
      '401 with an error body',
      (request) => reply(request, 401, { errorCode: 401002, trackingId: 'ab-cd', message: 'Unauthorized' }),
      {
        code: 'ERR_SERVICE_UNAUTHORIZED',
        status: 401,
        serviceCode: 401002,
        trackingId: 'ab-cd',
        retryable: false,
      },
    ],
    [
      '401 with another challenge',
      (request) => reply(request, 401, challengeBody),
      { code: 'ERR_SERVICE_UNAUTHORIZED', status: 401 },
    ],
    [
      '404',
      (request) => reply(request, 404, { errorCode: 404201, message: 'no such enrollment' }),
      { code: 'ERR_SERVICE_NOT_FOUND', serviceCode: 404201, retryable: false },
    ],
    [
      '429 with a pause',
      (request) => reply(request, 429, { errorCode: 429001 }, { 'Retry-After': '11' }),
      { code: 'ERR_SERVICE_THROTTLED', retryAfterMs: 11_000, retryable: true },
    ],
    [
      'the error page of a gateway',
      (request) => reply(request, 502, '<html>Bad gateway</html>', { ...html, 'x-ms-request-id': 'gw-1' }),
      { code: 'ERR_SERVICE_UNAVAILABLE', status: 502, trackingId: 'gw-1', retryable: true },
    ],
    [
      'an error page without end',
      ({ socket }) => {
        socket.write('HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nTransfer-Encoding: chunked\r\n\r\n');
        pour(socket);
      },
      { code: 'ERR_SERVICE_UNAVAILABLE', status: 503, retryAfterMs: 2000, retryable: true },
    ],
    ['501', (request) => reply(request, 501, {}), { status: 501, retryable: false }],
  ])('%s', async (_title, answer, expected) => {
    await using peer = await startPeer({ answer });
    await using device = openTrustingDevice(peer);
    await expect(device.session.register(device.register, { signal })).rejects.toMatchObject(expected);
    expect(peer.requests).toHaveLength(1);
    await device.session.close();
    await peer.until(() => peer.open === 0);
  });

  test('a huge body is cut off while it streams', async () => {
    let poured = 0;
    await using peer = await startPeer({
      answer: ({ socket }) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Type: ${json}\r\nTransfer-Encoding: chunked\r\n\r\n`);
        pour(socket, (bytes) => {
          poured += bytes;
        });
      },
    });
    await using device = openTrustingDevice(peer, { maxBodyBytes: 10_000 });
    await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
      code: 'ERR_REMOTE_TOO_LARGE',
    });
    await peer.until(() => peer.open === 0);
    // Socket buffers hold some megabytes at most; a client that read on would never get here.
    expect(poured).toBeLessThan(64 * 1_048_576);
  });

  test('a body of exactly the limit is read', async () => {
    const text = JSON.stringify(assigning);
    await using peer = await startPeer({ answer: (request) => reply(request, 202, text) });
    await using exact = openTrustingDevice(peer, { maxBodyBytes: text.length });
    expect((await exact.session.register(exact.register, { signal })).operation).toEqual(assigning);
    await using short = openTrustingDevice(peer, { maxBodyBytes: text.length - 1 });
    await expect(short.session.register(short.register, { signal })).rejects.toMatchObject({
      code: 'ERR_REMOTE_TOO_LARGE',
    });
  });

  test('the session goes on after an unusable answer, on the same connection', async () => {
    await using peer = await startPeer({
      answer: (request, index) => reply(request, 202, index === 0 ? 'nonsense' : assigning),
    });
    await using device = openTrustingDevice(peer);
    await expect(device.session.register(device.register, { signal })).rejects.toMatchObject({
      code: 'ERR_REMOTE_MALFORMED',
    });
    expect((await device.session.register(device.register, { signal })).operation).toEqual(assigning);
    expect(peer.connections).toBe(1);
  });
});

describe('an answer to a challenge request that is no challenge', () => {
  test.each<[string, (request: PeerRequest) => void, object]>([
    [
      '401 without a key',
      (request) => reply(request, 401, { errorCode: 401002, message: 'Unauthorized' }),
      { code: 'ERR_SERVICE_UNAUTHORIZED', serviceCode: 401002 },
    ],
    [
      '401 with a key that is not base64',
      (request) => reply(request, 401, { ...challengeBody, authenticationKey: '###' }),
      { code: 'ERR_REMOTE_MALFORMED' },
    ],
    [
      '401 with a body too large',
      (request) => reply(request, 401, { ...challengeBody, message: 'x'.repeat(1_048_576) }),
      { code: 'ERR_REMOTE_TOO_LARGE' },
    ],
    [
      '401 with a web page',
      (request) => reply(request, 401, '<html>Log in</html>', html),
      { code: 'ERR_REMOTE_CONTENT_TYPE' },
    ],
    [
      '202 without a challenge',
      (request) => reply(request, 202, assigning),
      { code: 'ERR_REMOTE_UNEXPECTED' },
    ],
    ['302', (request) => reply(request, 302, '', { Location: '/' }), { code: 'ERR_REMOTE_REDIRECT' }],
    ['503', (request) => reply(request, 503, {}), { code: 'ERR_SERVICE_UNAVAILABLE', retryable: true }],
  ])('%s', async (_title, answer, expected) => {
    await using peer = await startPeer({ answer });
    await using device = openTrustingDevice(peer);
    const asking = device.session.getAuthenticationChallenge(device.challenge, { signal });
    await expect(asking).rejects.toMatchObject(expected);
  });
});

/** Writes chunks for as long as the other side takes them. */
function pour(socket: PeerRequest['socket'], onWritten: (bytes: number) => void = () => undefined): void {
  const chunk = `10000\r\n${' '.repeat(65_536)}\r\n`;
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk)) onWritten(chunk.length);
  };
  socket.on('drain', more);
  more();
}
