import { ServiceError, TransportError } from '@endorse/interface';
import { assigningReply } from '@endorse/testkit';
import { describe, expect, it } from 'vitest';
import { createFakeTpm } from './support/fake-identities.ts';
import { callsOf, runScript } from './support/run-script.ts';
import {
  assigned,
  challenge,
  failWith,
  lost,
  operationId,
  pollWith,
  registerWith,
  throttled,
  unauthorized,
  unknownOperation,
} from './support/scripts.ts';

const fulfilled = { status: 'fulfilled' };

describe('what is repeated', () => {
  it.each([408, 429, 500, 502, 503, 504])('a request answered %i, on the same session', async (status) => {
    const error = new ServiceError('later', { status });
    const { outcome, transport } = await runScript([
      failWith('getAuthenticationChallenge', error),
      challenge,
      failWith('register', error),
      registerWith(assigningReply(operationId)),
      failWith('queryOperationStatus', error),
      pollWith(assigned),
    ]);
    expect(outcome).toMatchObject(fulfilled);
    expect(callsOf(transport).filter((call) => call === 'openSession')).toHaveLength(1);
  });

  it('a request whose connection was lost, on a new session and with the same token', async () => {
    const { outcome, transport, securityClient } = await runScript([
      failWith('getAuthenticationChallenge', lost()),
      challenge,
      failWith('register', lost()),
      registerWith(assigningReply(operationId)),
      failWith('queryOperationStatus', lost()),
      pollWith(assigned),
    ]);
    expect(outcome).toMatchObject(fulfilled);
    expect(callsOf(transport).filter((call) => call === 'openSession')).toHaveLength(4);
    expect(securityClient.calls.filter(({ method }) => method === 'signWithIdentity')).toHaveLength(1);
  });

  it('a request that took longer than its limit, on a new session', async () => {
    const { outcome, transport, elapsedMs } = await runScript(
      [challenge, { call: 'register', answer: { hang: true } }, registerWith(assigned)],
      { stepTimeoutMs: 7000 },
    );
    expect(outcome).toMatchObject(fulfilled);
    expect(elapsedMs).toBe(7000);
    expect(callsOf(transport).filter((call) => call === 'openSession')).toHaveLength(2);
  });
});

it('a call that was stopped for its limit counts as timed out, whatever the security client makes of it', async () => {
  const securityClient = createFakeTpm({
    hook: (_call, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('device closed')), { once: true });
      }),
  });
  const { outcome } = await runScript([], { securityClient, securityTimeoutMs: 50 });
  expect(outcome).toMatchObject({
    status: 'rejected',
    reason: { code: 'ERR_TIMEOUT', state: 'reading-identity', deadlineMs: 50, retryable: false },
  });
});

describe('what is not repeated', () => {
  it.each([400, 403, 409, 412, 501, 505])('a request answered %i', async (status) => {
    const error = new ServiceError('no', { status });
    const { outcome } = await runScript([challenge, failWith('register', error)]);
    expect(outcome).toEqual({ status: 'rejected', reason: error });
  });

  it('a connection that says repeating is no use', async () => {
    const error = new TransportError('ERR_TRANSPORT_TLS', 'not trusted', { phase: 'tls', retryable: false });
    const { outcome } = await runScript([failWith('getAuthenticationChallenge', error)]);
    expect(outcome).toEqual({ status: 'rejected', reason: error });
  });

  it('anything a foreign part throws', async () => {
    const error = new TypeError('undefined is not a function');
    const { outcome } = await runScript([challenge, failWith('register', error)]);
    expect(outcome).toEqual({ status: 'rejected', reason: error });
  });

  it('a challenge that is refused with 401 and no key', async () => {
    const error = unauthorized();
    const { outcome } = await runScript([failWith('getAuthenticationChallenge', error)]);
    expect(outcome).toEqual({ status: 'rejected', reason: error });
  });

  it('a registration the service does not know', async () => {
    const error = unknownOperation();
    const { outcome } = await runScript([challenge, failWith('register', error)]);
    expect(outcome).toEqual({ status: 'rejected', reason: error });
  });
});

describe('how long and how often', () => {
  it('waits what the service asks for, up to the cap', async () => {
    const { elapsedMs } = await runScript(
      [
        challenge,
        failWith('register', throttled(5000)),
        failWith('register', throttled(3_600_000)),
        registerWith(assigned),
      ],
      { retry: { maxRetryAfterMs: 40_000 } },
    );
    expect(elapsedMs).toBe(45_000);
  });

  it('takes a Retry-After of 0 at its word', async () => {
    const { elapsedMs } = await runScript([
      challenge,
      registerWith(assigningReply(operationId, 0)),
      pollWith(assigningReply(operationId, 0)),
      pollWith(assigned),
    ]);
    expect(elapsedMs).toBe(0);
  });

  it('polls every 2 s when the service does not say', async () => {
    const { elapsedMs } = await runScript([
      challenge,
      registerWith(assigningReply(operationId)),
      pollWith(assigningReply(operationId)),
      pollWith(assigned),
    ]);
    expect(elapsedMs).toBe(4000);
  });

  it('backs off with full jitter, doubling the ceiling, when the service does not say', async () => {
    const { elapsedMs } = await runScript(
      [
        challenge,
        ...Array.from({ length: 4 }, () => failWith('register', throttled())),
        registerWith(assigned),
      ],
      { random: { bytes: (byteLength) => new Uint8Array(byteLength).fill(128) } },
    );
    // 0x808080 / 2^24 of 1, 2, 4 and 8 s, each rounded down.
    const jitter = 0x80_80_80 / 2 ** 24;
    expect(elapsedMs).toBe([1000, 2000, 4000, 8000].reduce((sum, ms) => sum + Math.floor(jitter * ms), 0));
  });

  it('gives up after maxRetries, with the last error', async () => {
    const last = throttled(1);
    const { outcome } = await runScript(
      [
        challenge,
        failWith('register', throttled(1)),
        failWith('register', throttled(1)),
        failWith('register', last),
      ],
      { retry: { maxRetries: 2 } },
    );
    expect(outcome.status === 'rejected' && outcome.reason).toBe(last);
  });

  it('gives up on a service that keeps assigning, with the operation to resume', async () => {
    const { outcome } = await runScript(
      [
        challenge,
        registerWith(assigningReply(operationId, 1)),
        pollWith(assigningReply(operationId, 1)),
        pollWith(assigningReply(operationId, 1)),
      ],
      { retry: { maxPolls: 2 } },
    );
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: { code: 'ERR_REGISTRATION_UNFINISHED', retryable: true, operationId },
    });
  });

  it('never sleeps longer than the deadline, however often it is told to', async () => {
    const { outcome, elapsedMs } = await runScript(
      [challenge, registerWith(assigningReply(operationId, 50_000))],
      {
        deadlineMs: 10_000,
      },
    );
    expect(elapsedMs).toBe(10_000);
    expect(outcome).toMatchObject({ reason: { code: 'ERR_TIMEOUT', state: 'waiting' } });
  });
});
