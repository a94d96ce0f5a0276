import { expect, test } from 'vitest';
import type { LogLevel } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { assigning, challengeBody, openTrustingDevice, sasText, signal } from './support/device.ts';
import { reply, startPeer } from './support/peer.ts';

test('log lines tell what was asked and answered, and hold neither token nor key', async () => {
  const lines: [LogLevel, string, Readonly<Record<string, unknown>>][] = [];
  const logger = {
    log: (level: LogLevel, event: string, fields: Readonly<Record<string, unknown>> = {}) =>
      void lines.push([level, event, fields]),
  };
  await using peer = await startPeer({
    answer: (request, index) => {
      if (index === 0) reply(request, 401, challengeBody);
      else if (index === 1) reply(request, 202, assigning, { 'x-ms-request-id': 'request-7' });
      else request.socket.destroy();
    },
  });
  await using device = openTrustingDevice(peer, { logger, clock: new VirtualClock(0) });
  await device.session.getAuthenticationChallenge(device.challenge, { signal });
  await device.session.register(device.register, { signal });
  await expect(device.session.queryOperationStatus(device.query, { signal })).rejects.toThrow();

  expect(lines.map(([level, event]) => `${level} ${event}`)).toEqual([
    'debug request-sent',
    'debug reply-received',
    'debug request-sent',
    'debug reply-received',
    'debug request-sent',
    'debug request-failed',
  ]);
  expect(lines[3]?.[2]).toEqual({
    attempted: 'register device-1',
    status: 202,
    bodyBytes: JSON.stringify(assigning).length,
    requestId: 'request-7',
    durationMs: 0,
  });
  expect(lines[5]?.[2]).toEqual({
    attempted: 'query the operation of device-1',
    code: 'ERR_TRANSPORT_LOST',
    durationMs: 0,
  });
  const printed = JSON.stringify(lines);
  for (const secret of [sasText, 'c2lnbmF0dXJl', challengeBody.authenticationKey]) {
    expect(printed).not.toContain(secret);
  }
});
