import { describe, expect, test } from 'vitest';
import { ScriptError, assigningReply, createScriptedTransport } from '@endorse/testkit';
import { queryRequest, target } from './requests.ts';

describe('a scripted transport', () => {
  test('answers in order and records every call', async () => {
    const transport = createScriptedTransport([
      { call: 'queryOperationStatus', answer: { reply: assigningReply('op', 5) } },
      { call: 'queryOperationStatus', answer: { error: new Error('second') } },
      {
        call: 'queryOperationStatus',
        answer: { run: ({ operationId }) => assigningReply(`${operationId}!`) },
      },
    ]);
    const session = transport.openSession(target, { kind: 'symmetric-key' });
    const { signal } = new AbortController();
    expect(await session.queryOperationStatus(queryRequest, { signal })).toEqual(assigningReply('op', 5));
    await expect(session.queryOperationStatus(queryRequest, { signal })).rejects.toThrow('second');
    expect(await session.queryOperationStatus(queryRequest, { signal })).toEqual(
      assigningReply(`${queryRequest.operationId}!`),
    );
    expect(() => transport.assertDone()).toThrow('1 session(s) left open');
    await session.close();
    await session.close();
    transport.assertDone();
    expect(transport.calls.map(({ call }) => call)).toEqual([
      'openSession',
      'queryOperationStatus',
      'queryOperationStatus',
      'queryOperationStatus',
      'close',
    ]);
  });

  test('throws and remembers a call the script does not have next', async () => {
    const transport = createScriptedTransport([{ call: 'register', answer: { hang: true } }]);
    const session = transport.openSession(target, { kind: 'x509', certificate: {} as never });
    const { signal } = new AbortController();
    await expect(session.queryOperationStatus(queryRequest, { signal })).rejects.toThrow(ScriptError);
    expect(transport.remaining).toBe(1);
    await session.close();
    expect(() => transport.assertDone()).toThrow('call 2 is queryOperationStatus, the script has register');
  });

  test('reports unused steps', () => {
    const transport = createScriptedTransport([{ call: 'register', answer: { hang: true } }]);
    expect(() => transport.assertDone()).toThrow('unused steps: register');
  });

  test('a hanging answer ends with the reason of the abort, or when the session is closed', async () => {
    const transport = createScriptedTransport([
      { call: 'queryOperationStatus', answer: { hang: true } },
      { call: 'queryOperationStatus', answer: { hang: true } },
    ]);
    const session = transport.openSession(target, { kind: 'tpm' });
    const controller = new AbortController();
    const first = session.queryOperationStatus(queryRequest, { signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(first).rejects.toBe(reason);
    await expect(session.queryOperationStatus(queryRequest, { signal: controller.signal })).rejects.toBe(
      reason,
    );
    expect(transport.remaining).toBe(1);
    const second = session.queryOperationStatus(queryRequest, { signal: new AbortController().signal });
    await session.close();
    await expect(second).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' });
  });

  test('refuses an attestation that its manifest leaves out', () => {
    const transport = createScriptedTransport([], { attestations: ['x509'], challenge: 'none' });
    expect(() => transport.openSession(target, { kind: 'tpm' })).toThrowError(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED_CAPABILITY', required: 'tpm', available: ['x509'] }),
    );
    expect(transport.capabilities).toMatchObject({ challenge: 'none', attestations: ['x509'] });
    expect(Object.keys(transport.capabilities.refusals)).toEqual(['tpm', 'symmetric-key']);
  });
});
