import { SessionRequests } from '@endorse/transport-socket';
import { expect, test } from 'vitest';

const { signal } = new AbortController();

/** Requests of a session whose clock advances by a millisecond a look, with what they tell. */
function record(): {
  readonly requests: SessionRequests;
  readonly lines: (readonly [string, unknown])[];
  readonly failures: unknown[];
} {
  const lines: (readonly [string, unknown])[] = [];
  const failures: unknown[] = [];
  let nowMs = 0;
  const requests = new SessionRequests({
    clock: { now: () => nowMs++ },
    logger: { log: (_level, event, fields) => void lines.push([event, fields]) },
    onFailure: (error) => void failures.push(error),
  });
  return { requests, lines, failures };
}

test('a request is refused after the end, without a signal, and with an aborted one', () => {
  const { requests } = record();
  const reason = new Error('changed my mind');
  expect(() => requests.check({ signal })).not.toThrowError();
  expect(() => requests.check(undefined as never)).toThrowError(
    expect.objectContaining({ argument: 'options.signal' }),
  );
  expect(() => requests.check({ signal: AbortSignal.abort(reason) })).toThrowError(reason);
  requests.end();
  expect(() => requests.check({ signal })).toThrowError(
    expect.objectContaining({ code: 'ERR_SESSION_CLOSED' }),
  );
});

test('a second request is refused while the first is running, and leaves it alone', async () => {
  const { requests, failures } = record();
  const answer = Promise.withResolvers<string>();
  const first = requests.run('register a', signal, () => answer.promise);
  await expect(requests.run('poll a', signal, async () => 'too soon')).rejects.toMatchObject({
    code: 'ERR_LOCAL_STATE',
    state: 'busy',
  });
  expect(requests.attempted).toBe('register a');
  answer.resolve('done');
  expect(await first).toBe('done');
  expect(await requests.run('poll a', signal, async () => 'now')).toBe('now');
  expect(failures).toEqual([]);
});

test('what becomes of a request is logged, with how long it took', async () => {
  const { requests, lines } = record();
  await requests.run('register a', signal, async ({ sent, received }) => {
    sent({ method: 'PUT' });
    received({ status: 202 });
  });
  expect(lines).toEqual([
    ['request-sent', { attempted: 'register a', method: 'PUT' }],
    ['reply-received', { attempted: 'register a', status: 202, durationMs: 1 }],
  ]);
});

test('a failure is told before its caller hears of it, and another request may follow', async () => {
  const { requests, lines, failures } = record();
  const failure = Object.assign(new Error('lost'), { code: 'ERR_TRANSPORT_LOST' });
  const failed = requests.run('register a', signal, () => Promise.reject(failure));
  await expect(failed.catch((error: unknown) => [error, ...failures])).resolves.toEqual([failure, failure]);
  expect(lines).toEqual([
    ['request-failed', { attempted: 'register a', code: 'ERR_TRANSPORT_LOST', durationMs: 1 }],
  ]);
  expect(await requests.run('register a', signal, async () => 'done')).toBe('done');
});

test('the end of the session is a signal to the request that is running', async () => {
  const { requests } = record();
  const running = requests.run('register a', signal, async ({ signals }) => {
    requests.end();
    for (const each of signals) each.throwIfAborted();
  });
  await expect(running).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' });
});
