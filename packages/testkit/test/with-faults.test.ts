import { describe, expect, test } from 'vitest';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import type { ScriptStep } from '@endorse/testkit';
import { assigningReply, createScriptedTransport, withFaults } from '@endorse/testkit';
import { queryRequest, target } from './requests.ts';

const answers = (count: number): ScriptStep[] =>
  Array.from({ length: count }, (_, index) => ({
    call: 'queryOperationStatus',
    answer: { reply: assigningReply(`op-${index + 1}`) },
  }));
const { signal } = new AbortController();

describe('the fault decorator', () => {
  test('strikes only the nth request of the kind it names', async () => {
    const inner = createScriptedTransport(answers(3));
    const transport = withFaults(inner, [
      { call: 'register', fault: { kind: 'error', error: new Error('never') } },
      { call: 'queryOperationStatus', nth: 2, fault: { kind: 'drop-before' } },
    ]);
    const session = transport.openSession(target, { kind: 'tpm' });
    const ask = () => session.queryOperationStatus(queryRequest, { signal });
    expect((await ask()).operation.operationId).toBe('op-1');
    await expect(ask()).rejects.toMatchObject({ code: 'ERR_TRANSPORT_LOST', phase: 'send', retryable: true });
    expect((await ask()).operation.operationId).toBe('op-2');
    expect(transport.struck).toBe(1);
    expect(inner.remaining).toBe(1);
    await session.close();
    expect(inner.openSessions).toBe(0);
  });

  test('drops after the peer has served the request, and duplicates it', async () => {
    const inner = createScriptedTransport(answers(3));
    const transport = withFaults(inner, [
      { nth: 1, fault: { kind: 'drop-after' } },
      { nth: 2, fault: { kind: 'duplicate' } },
    ]);
    await using session = transport.openSession(target, { kind: 'tpm' });
    await expect(session.queryOperationStatus(queryRequest, { signal })).rejects.toMatchObject({
      code: 'ERR_TRANSPORT_LOST',
      phase: 'receive',
    });
    expect(inner.remaining).toBe(2);
    expect((await session.queryOperationStatus(queryRequest, { signal })).operation.operationId).toBe('op-3');
    expect(inner.remaining).toBe(0);
  });

  test('holds a slow request back on the clock', async () => {
    const clock = new VirtualClock();
    const inner = createScriptedTransport(answers(1));
    const transport = withFaults(inner, [{ fault: { kind: 'slow', delayMs: 500 } }], { clock });
    await using session = transport.openSession(target, { kind: 'tpm' });
    const asked = session.queryOperationStatus(queryRequest, { signal });
    await clock.advance(499);
    expect(inner.remaining).toBe(1);
    await clock.advance(1);
    expect((await asked).operation.operationId).toBe('op-1');
  });

  test('a hanging request ends with the reason of the abort, or when the session is closed', async () => {
    const transport = withFaults(createScriptedTransport(answers(2)), [{ fault: { kind: 'hang' } }]);
    const session = transport.openSession(target, { kind: 'tpm' });
    const controller = new AbortController();
    const first = session.queryOperationStatus(queryRequest, { signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(first).rejects.toBe(reason);
    const second = session.queryOperationStatus(queryRequest, { signal });
    await session.close();
    await expect(second).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' });
  });
});
