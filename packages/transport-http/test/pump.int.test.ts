/** The pump port over real sockets: what happens, and that nothing happens outside `doWork()`. */
import type { PumpOutcome, PumpReply, PumpRequest, PumpTransport } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import type { HttpPumpOptions } from '@endorse/transport-http/pump';
import { createHttpPump } from '@endorse/transport-http/pump';
import { closedPort, createTestAuthority } from '@endorse/testkit';
import { describe, expect, test } from 'vitest';
import type { Peer } from './support/peer.ts';
import { reply, startPeer, startTcpPeer } from './support/peer.ts';

const get: PumpRequest = { method: 'GET', target: '/path?query=1', headers: { accept: 'application/json' } };
const post: PumpRequest = {
  method: 'POST',
  target: '/path',
  headers: { 'content-type': 'application/json', 'user-agent': 'a-device' },
  body: new TextEncoder().encode('{"grüße":1}'),
};

function startPump(peer: Peer, options: HttpPumpOptions = {}): PumpTransport & Disposable {
  const pump = createHttpPump({ ca: peer.ca, ...options })({ host: peer.host });
  return { ...pump, [Symbol.dispose]: () => pump.close() };
}

/** Turns the pump until something was delivered. */
async function delivered<Value>(
  pump: PumpTransport,
  begin: (onEnd: (outcome: PumpOutcome<Value>) => void) => void,
): Promise<PumpOutcome<Value>> {
  let outcome: PumpOutcome<Value> | undefined;
  begin((end) => {
    outcome = end;
  });
  await expect
    .poll(
      () => {
        pump.doWork();
        return outcome;
      },
      { interval: 2, timeout: 15_000 },
    )
    .toBeDefined();
  return outcome as PumpOutcome<Value>;
}

const open = (pump: PumpTransport): Promise<PumpOutcome<undefined>> =>
  delivered(pump, (onEnd) => pump.open(onEnd));
const send = (pump: PumpTransport, request: PumpRequest): Promise<PumpOutcome<PumpReply>> =>
  delivered(pump, (onEnd) => pump.send(request, onEnd));

describe('a request', () => {
  test('goes out over the connection that was opened, and comes back as it is', async () => {
    await using peer = await startPeer({
      answer: (request) => reply(request, 202, { a: 1 }, { 'X-Some': 'Thing' }),
    });
    using pump = startPump(peer);
    expect(await open(pump)).toEqual({ ok: true, value: undefined });
    await peer.until(() => peer.connections === 1);
    expect(peer.requests).toEqual([]);
    const outcome = await send(pump, post);
    expect(outcome).toMatchObject({ ok: true, value: { status: 202, headers: { 'x-some': 'Thing' } } });
    if (outcome.ok) expect(new TextDecoder().decode(outcome.value.body)).toBe('{"a":1}');
    await send(pump, get);
    expect(peer.requests).toMatchObject([
      {
        line: 'POST /path HTTP/1.1',
        body: '{"grüße":1}',
        headers: { 'user-agent': 'a-device' },
        connection: 1,
      },
      {
        line: 'GET /path?query=1 HTTP/1.1',
        body: '',
        headers: { 'user-agent': 'endorse-transport-http' },
        connection: 1,
      },
    ]);
  });

  test('is not told of outside doWork, however long that takes', async () => {
    await using peer = await startPeer({ answer: (request) => reply(request, 200, {}) });
    using pump = startPump(peer);
    let told = 0;
    pump.open(() => (told += 1));
    await peer.until(() => peer.connections === 1);
    expect(told).toBe(0);
    await expect.poll(() => (pump.doWork(), told)).toBe(1);
    pump.send(get, () => (told += 1));
    await peer.until(() => peer.requests.length === 1);
    expect(told).toBe(1);
    await expect.poll(() => (pump.doWork(), told)).toBe(2);
    pump.doWork();
    expect(told).toBe(2);
  });

  test.each([302, 401, 500])('answered with %i is a reply; no redirect is followed', async (status) => {
    await using peer = await startPeer({
      answer: (request) => reply(request, status, {}, { Location: 'https://localhost:1/' }),
    });
    using pump = startPump(peer);
    await open(pump);
    expect(await send(pump, get)).toMatchObject({ ok: true, value: { status } });
    expect(peer.requests).toHaveLength(1);
  });

  test('reconnects when the server has closed the connection in between', async () => {
    await using peer = await startPeer({
      answer: (request) => {
        reply(request, 200, {}, { Connection: 'close' });
        request.socket.end();
      },
    });
    using pump = startPump(peer);
    await open(pump);
    await send(pump, get);
    await peer.until(() => peer.open === 0);
    expect(await send(pump, get)).toMatchObject({ ok: true });
    expect(peer.connections).toBe(2);
  });

  test('reconnects when the server has closed the connection before the first', async () => {
    await using peer = await startPeer({
      onSecure: (socket, connection) => {
        if (connection === 1) socket.end();
      },
      answer: (request) => reply(request, 200, {}),
    });
    using pump = startPump(peer);
    await open(pump);
    await peer.until(() => peer.open === 0);
    await expect.poll(async () => (await send(pump, get)).ok).toBe(true);
  });

  test('that is cut off fails, and the next one works', async () => {
    await using peer = await startPeer({
      answer: (request, index) => (index === 0 ? request.socket.destroy() : reply(request, 200, {})),
    });
    using pump = startPump(peer);
    await open(pump);
    expect(await send(pump, get)).toMatchObject({ ok: false, error: { code: 'ERR_TRANSPORT_LOST' } });
    expect(await send(pump, get)).toMatchObject({ ok: true });
  });

  test('whose answer is too large fails', async () => {
    await using peer = await startPeer({ answer: (request) => reply(request, 200, 'x'.repeat(65_537)) });
    using pump = startPump(peer);
    await open(pump);
    expect(await send(pump, get)).toMatchObject({ ok: false, error: { code: 'ERR_REMOTE_TOO_LARGE' } });
  });

  test('that is not answered fails in time', async () => {
    await using peer = await startPeer();
    using pump = startPump(peer, { headersTimeoutMs: 50 });
    await open(pump);
    expect(await send(pump, get)).toMatchObject({
      ok: false,
      error: { code: 'ERR_TIMEOUT', state: 'awaiting-reply', deadlineMs: 50 },
    });
  });
});

describe('out of order', () => {
  test('a request before opening, a second one at once and a second opening are refused', async () => {
    await using peer = await startPeer({ answer: (request) => reply(request, 200, {}) });
    using pump = startPump(peer);
    const refused = { ok: false, error: { code: 'ERR_LOCAL_STATE' } };
    expect(await send(pump, get)).toMatchObject(refused);
    await open(pump);
    expect(await open(pump)).toMatchObject(refused);
    const first = send(pump, get);
    expect(await send(pump, get)).toMatchObject(refused);
    expect(await first).toMatchObject({ ok: true });
  });
});

describe('opening', () => {
  test('fails when nobody listens, and can be tried again', async () => {
    const pump = createHttpPump()({ host: `localhost:${await closedPort()}` });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect(await open(pump)).toMatchObject({ ok: false, error: { code: 'ERR_TRANSPORT_CONNECT' } });
    }
  });

  test('fails when the server is not trusted; the anchors of the client win', async () => {
    await using peer = await startPeer({ answer: (request) => reply(request, 200, {}) });
    const provider = createHttpPump({ ca: createTestAuthority().certificatePem });
    const distrusting = provider({ host: peer.host });
    expect(await open(distrusting)).toMatchObject({ ok: false, error: { code: 'ERR_TRANSPORT_TLS' } });
    const trusting = provider({ host: peer.host, trustedCertificatesPem: peer.ca });
    expect(await open(trusting)).toMatchObject({ ok: true });
    trusting.close();
  });

  test('ends in time when the server says nothing', async () => {
    await using peer = await startTcpPeer((socket) => socket.resume());
    const pump = createHttpPump({ connectTimeoutMs: 50 })({ host: `localhost:${peer.port}` });
    expect(await open(pump)).toMatchObject({
      ok: false,
      error: { code: 'ERR_TIMEOUT', state: 'connecting', deadlineMs: 50 },
    });
    await expect.poll(() => peer.sockets.size).toBe(0);
  });

  test('goes through the proxy of the client, with its credentials', async () => {
    const headers: string[] = [];
    await using proxy = await startTcpPeer((socket) =>
      socket.on('data', (chunk) => {
        headers.push(chunk.toString('latin1'));
        socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      }),
    );
    const proxyUrl = Secret.fromText(`http://user:password@localhost:${proxy.port}`);
    const pump = createHttpPump()({ host: 'dps.example.test', proxyUrl });
    expect(await open(pump)).toMatchObject({ ok: false, error: { code: 'ERR_TRANSPORT_PROXY' } });
    expect(headers[0]).toMatch(
      /^CONNECT dps\.example\.test:443 [^]*Proxy-Authorization: Basic dXNlcjpwYXNzd29yZA==/,
    );
  });

  test('shows the certificate of the client', async () => {
    await using peer = await startPeer({
      requestClientCertificate: true,
      answer: (request) => reply(request, 200, { subject: request.socket.getPeerCertificate().subject.CN }),
    });
    const { certificatePem, privateKeyPem } = peer.authority.issue({ names: ['device-1'] });
    const pump = createHttpPump({ ca: peer.ca })({
      host: peer.host,
      clientCertificate: { certificatePem, privateKeyPem: Secret.fromText(privateKeyPem) },
    });
    await open(pump);
    const outcome = await send(pump, get);
    expect(outcome.ok && new TextDecoder().decode(outcome.value.body)).toBe('{"subject":"device-1"}');
    pump.close();
  });
});

describe('closing', () => {
  test.each(['opening', 'asked', 'answered'])(
    'while %s delivers nothing, leaves no socket, and opens again',
    async (when) => {
      await using peer = await startPeer({
        answer: (request) => {
          if (when !== 'asked') reply(request, 200, {});
        },
      });
      using pump = startPump(peer);
      let told = 0;
      if (when === 'opening') pump.open(() => (told += 1));
      else {
        await open(pump);
        pump.send(get, () => (told += 1));
        await peer.until(() => peer.requests.length === 1);
      }
      pump.close();
      pump.close();
      expect(await open(pump)).toMatchObject({ ok: true });
      await peer.until(() => peer.open === 1);
      pump.doWork();
      expect(told).toBe(0);
      pump.close();
      await peer.until(() => peer.open === 0);
    },
  );
});

test.each([
  [{ maxBodyBytes: 0 }, 'ERR_OUT_OF_RANGE'],
  [{ headersTimeoutMs: 600_001 }, 'ERR_OUT_OF_RANGE'],
  [{ ca: 'no PEM' }, 'ERR_INVALID_ARGUMENT'],
  [{ userAgent: 'ü' }, 'ERR_INVALID_ARGUMENT'],
  [{ dispatcher: {} }, 'ERR_INVALID_ARGUMENT'],
])('the option %j is refused', (options, code) => {
  expect(() => createHttpPump(options as HttpPumpOptions)).toThrow(
    expect.objectContaining({ code }) as Error,
  );
});

test.each([
  { host: 'https://dps.example.test' },
  { host: '' },
  { host: 'dps.example.test', trustedCertificatesPem: 'no PEM' },
  { host: 'dps.example.test', proxyUrl: Secret.fromText('ftp://proxy') },
])('%j of a client is refused before anything is opened', (target) => {
  expect(() => createHttpPump()(target)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }) as Error,
  );
});
