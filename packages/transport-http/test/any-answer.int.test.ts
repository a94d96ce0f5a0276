/**
 * Whatever a peer answers, a request ends once, with a reply or a typed error, and the session lets go of its socket.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isEndorseError } from '@endorse/interface';
import { assigning, challengeBody, openTrustingDevice, signal } from './support/device.ts';
import { startPeer } from './support/peer.ts';

const bodies = fc.oneof(
  fc.json(),
  fc.constantFrom(JSON.stringify(assigning), JSON.stringify(challengeBody), '', '{', 'null'),
  fc.string({ maxLength: 40 }),
);
const field = fc.constantFrom(
  'Content-Type: application/json',
  'Content-Type: text/html',
  'Content-Length: 0',
  'Content-Length: 99999999999',
  'Content-Length: -1',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip',
  'Retry-After: 99999999999999999999',
  'Retry-After: Thu, 01 Jan 1970 00:00:00 GMT',
  'Connection: close',
  'Connection: upgrade',
  'Upgrade: h2c',
  'Keep-Alive: timeout=0',
  'Location: https://elsewhere.example.test/',
  'x-ms-request-id: \u00ff',
  ': no name',
  'no colon',
);
const answers = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc
    .record({
      version: fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/2', 'HTTPS/1.1'),
      status: fc.oneof(fc.constantFrom('200', '202', '401', '204', '304', '100'), fc.nat(1200).map(String)),
      fields: fc.array(field, { maxLength: 5 }),
      sized: fc.boolean(),
      body: bodies,
    })
    .map(({ version, status, fields, sized, body }) => {
      const length = sized ? [`Content-Length: ${Buffer.byteLength(body)}`] : [];
      const type = sized ? ['Content-Type: application/json'] : [];
      return Buffer.from(
        [`${version} ${status} Why`, ...type, ...length, ...fields, '', body].join('\r\n'),
        'latin1',
      );
    }),
);

test('any answer ends a request with a reply or a typed error', async () => {
  let next: Buffer = Buffer.alloc(0);
  await using peer = await startPeer({ answer: ({ socket }) => void socket.end(next) });
  await fc.assert(
    fc.asyncProperty(answers, fc.boolean(), async (answer, asksForChallenge) => {
      next = answer;
      await using device = openTrustingDevice(peer, { maxHeaderBytes: 2048 });
      const { session, challenge, register } = device;
      const [outcome] = await Promise.allSettled([
        asksForChallenge
          ? session.getAuthenticationChallenge(challenge, { signal })
          : session.register(register, { signal }),
      ]);
      if (outcome.status === 'rejected') {
        expect(isEndorseError(outcome.reason), String(outcome.reason)).toBe(true);
      }
      await session.close();
      await peer.until(() => peer.open === 0);
    }),
    { numRuns: 200 },
  );
});
