// Oracle: request lines, headers and bodies as documented for the device API (2021-06-01) and sent by its public clients.
import { describe, expect, test } from 'vitest';
import { Secret } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { createHttpTransport } from '@endorse/transport-http';
import {
  assigning,
  challengeBody,
  openDevice,
  openTrustingDevice,
  sasText,
  signal,
} from './support/device.ts';
import { reply, startPeer } from './support/peer.ts';

const path = '/0ne00000001/registrations/device-1';

describe('a registration over HTTPS', () => {
  test('asks for the challenge without a token and decodes the wrapped key', async () => {
    await using peer = await startPeer({ answer: (request) => reply(request, 401, challengeBody) });
    await using device = openTrustingDevice(peer);
    const challenge = await device.session.getAuthenticationChallenge(
      { ...device.challenge, payload: { model: 7 } },
      { signal },
    );
    expect(Buffer.from(challenge.activationBlob).toString()).toBe('a wrapped key');
    expect(challenge.keyName).toBe('registration');
    const [request] = peer.requests;
    expect(request?.line).toBe(`PUT ${path}/register?api-version=2021-06-01 HTTP/1.1`);
    expect(request?.headers).toMatchObject({
      host: peer.host,
      accept: 'application/json',
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'endorse-transport-http',
    });
    expect(request?.headers).not.toHaveProperty('authorization');
    expect(JSON.parse(request?.body ?? '')).toEqual({
      registrationId: 'device-1',
      tpm: {
        endorsementKey: Buffer.from(device.challenge.endorsementKey).toString('base64'),
        storageRootKey: Buffer.from(device.challenge.storageRootKey).toString('base64'),
      },
      payload: { model: 7 },
    });
  });

  test('sends the whole flow over one connection, with the token where it belongs', async () => {
    await using peer = await startPeer({
      answer: (request, index) =>
        index === 0
          ? reply(request, 401, challengeBody)
          : reply(request, 202, assigning, { 'Retry-After': '3' }),
    });
    await using device = openTrustingDevice(peer);
    await device.session.getAuthenticationChallenge(device.challenge, { signal });
    expect(await device.session.register(device.register, { signal })).toEqual({
      operation: assigning,
      retryAfterMs: 3000,
    });
    await device.session.queryOperationStatus(device.query, { signal });
    expect(peer.requests.map(({ line }) => line)).toEqual([
      `PUT ${path}/register?api-version=2021-06-01 HTTP/1.1`,
      `PUT ${path}/register?api-version=2021-06-01 HTTP/1.1`,
      `GET ${path}/operations/5.316aac5bdc130deb.op?api-version=2021-06-01 HTTP/1.1`,
    ]);
    expect(peer.requests.map(({ headers }) => headers['authorization'])).toEqual([
      undefined,
      sasText,
      sasText,
    ]);
    expect(peer.requests[2]?.body).toBe('');
    expect(peer.connections).toBe(1);
  });

  test('never sends an earlier token on a challenge', async () => {
    await using peer = await startPeer({
      answer: (request, index) =>
        index === 0 ? reply(request, 202, assigning) : reply(request, 401, challengeBody),
    });
    await using device = openTrustingDevice(peer);
    await device.session.register(device.register, { signal });
    await device.session.getAuthenticationChallenge(device.challenge, { signal });
    expect(peer.requests[0]?.headers['authorization']).toBe(sasText);
    expect(peer.requests[1]?.headers).not.toHaveProperty('authorization');
  });

  test('reads Retry-After as seconds and as a date, and leaves it out otherwise', async () => {
    const clock = new VirtualClock(Date.parse('2024-05-01T12:00:00Z'));
    const values = ['0', '120', 'Wed, 01 May 2024 12:00:07 GMT', 'soon'];
    await using peer = await startPeer({
      answer: (request, index) => reply(request, 202, assigning, { 'Retry-After': values[index] ?? '' }),
    });
    await using device = openTrustingDevice(peer, { clock });
    const read = [];
    for (const _ of values)
      read.push((await device.session.register(device.register, { signal })).retryAfterMs);
    expect(read).toEqual([0, 120_000, 7000, undefined]);
  });

  test('takes api-version, user agent and forced registration from its options', async () => {
    await using peer = await startPeer({ answer: (request) => reply(request, 202, assigning) });
    await using device = openTrustingDevice(peer, { apiVersion: '2019-03-31', userAgent: 'my-device/2.1' });
    const { registrationInfo, ...rest } = device.register;
    await device.session.register(
      { ...rest, registrationInfo: { ...registrationInfo, forceRegistration: true } },
      { signal },
    );
    expect(peer.requests[0]?.line).toBe(
      `PUT ${path}/register?api-version=2019-03-31&forceRegistration=true HTTP/1.1`,
    );
    expect(peer.requests[0]?.headers['user-agent']).toBe('my-device/2.1');
  });

  test('encodes what is special in a path', async () => {
    await using peer = await startPeer({ answer: (request) => reply(request, 202, assigning) });
    await using device = openDevice(peer.host, { ca: peer.ca }, 'a:b_c.d-e');
    await device.session.register(device.register, { signal });
    expect(peer.requests[0]?.line).toBe(
      'PUT /0ne00000001/registrations/a%3Ab_c.d-e/register?api-version=2021-06-01 HTTP/1.1',
    );
  });

  test('passes over an informational answer', async () => {
    await using peer = await startPeer({
      answer: (request) => {
        request.socket.write('HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n');
        reply(request, 202, assigning);
      },
    });
    await using device = openTrustingDevice(peer);
    expect((await device.session.register(device.register, { signal })).operation).toEqual(assigning);
  });

  test('reads a chunked answer', async () => {
    await using peer = await startPeer({
      answer: ({ socket }) => {
        socket.write(
          'HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
        );
        const text = JSON.stringify(assigning);
        for (const part of [text.slice(0, 10), text.slice(10)]) {
          socket.write(`${part.length.toString(16)}\r\n${part}\r\n`);
        }
        socket.write('0\r\n\r\n');
      },
    });
    await using device = openTrustingDevice(peer);
    expect((await device.session.register(device.register, { signal })).operation).toEqual(assigning);
  });

  test('connects to an address in the certificate', async () => {
    await using peer = await startPeer({ answer: (request) => reply(request, 202, assigning) });
    await using device = openDevice(`127.0.0.1:${peer.port}`, { ca: peer.ca });
    expect((await device.session.register(device.register, { signal })).operation).toEqual(assigning);
    expect(peer.requests[0]?.socket.servername).toBe(false);
  });

  test('shows the client certificate of an X.509 session, and no other session does', async () => {
    await using peer = await startPeer({
      requestClientCertificate: true,
      answer: (request) => reply(request, 202, assigning),
    });
    const { certificatePem, privateKeyPem } = peer.authority.issue({ commonName: 'device-1' });
    const transport = createHttpTransport({ ca: peer.ca });
    const target = { provisioningHost: peer.host, idScope: '0ne00000001', registrationId: 'device-1' };
    await using session = transport.openSession(target, {
      kind: 'x509',
      certificate: { certificatePem, privateKeyPem: Secret.fromText(privateKeyPem) },
    });
    await session.register({ registrationInfo: { registrationId: 'device-1' } }, { signal });
    const [request] = peer.requests;
    expect(request?.socket.getPeerCertificate().subject.CN).toBe('device-1');
    expect(request?.headers).not.toHaveProperty('authorization');

    await using other = transport.openSession(target, { kind: 'symmetric-key' });
    const registering = other.register(
      { sasToken: Secret.fromText(sasText), registrationInfo: { registrationId: 'device-1' } },
      { signal },
    );
    // This peer hangs up on a handshake without a certificate, and says nothing.
    await expect(registering).rejects.toMatchObject({ code: 'ERR_TRANSPORT_LOST' });
    expect(peer.requests).toHaveLength(1);
  });
});
