import type { Transport } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { createScriptedTransport } from '@endorse/testkit';
import {
  SymmetricKeyRegistration,
  TpmRegistration,
  X509Registration,
  register,
} from '@endorse/registration-core';
import { describe, expect, it } from 'vitest';
import { createFakeSymmetricKey, createFakeTpm, createFakeX509 } from './support/fake-identities.ts';
import { operationId, registerWith, target } from './support/scripts.ts';
import { assignedReply } from '@endorse/testkit';

const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;

const mistakes: readonly [what: string, options: Record<string, unknown>, code: string, argument: string][] =
  [
    ['no host', { provisioningHost: '' }, 'ERR_INVALID_ARGUMENT', 'provisioningHost'],
    [
      'a host with a scheme',
      { provisioningHost: 'https://x.test' },
      'ERR_INVALID_ARGUMENT',
      'provisioningHost',
    ],
    ['a port out of range', { provisioningHost: 'x.test:70000' }, 'ERR_OUT_OF_RANGE', 'provisioningHost'],
    ['no scope', { idScope: undefined }, 'ERR_INVALID_ARGUMENT', 'idScope'],
    ['a scope with a slash', { idScope: '0ne/1' }, 'ERR_INVALID_ARGUMENT', 'idScope'],
    ['no transport', { transport: undefined }, 'ERR_INVALID_ARGUMENT', 'transport'],
    ['something else as a transport', { transport: {} }, 'ERR_INVALID_ARGUMENT', 'transport'],
    ['no security client', { securityClient: null }, 'ERR_INVALID_ARGUMENT', 'securityClient'],
    [
      'an unknown kind',
      { securityClient: { specificationVersion: 'v1', kind: 'token' } },
      'ERR_INVALID_ARGUMENT',
      'securityClient',
    ],
    [
      'a security client of another version',
      { securityClient: { kind: 'tpm' } },
      'ERR_INVALID_ARGUMENT',
      'securityClient',
    ],
    ['no time', { deadlineMs: 0 }, 'ERR_OUT_OF_RANGE', 'deadlineMs'],
    ['an endless deadline', { deadlineMs: Number.POSITIVE_INFINITY }, 'ERR_OUT_OF_RANGE', 'deadlineMs'],
    ['a fractional step limit', { stepTimeoutMs: 0.5 }, 'ERR_OUT_OF_RANGE', 'stepTimeoutMs'],
    ['a step limit that is text', { securityTimeoutMs: '1000' }, 'ERR_OUT_OF_RANGE', 'securityTimeoutMs'],
    ['a token without life', { sasLifetimeMs: 1 }, 'ERR_OUT_OF_RANGE', 'sasLifetimeMs'],
    ['an unknown encoding', { sasResourceEncoding: 'base64' }, 'ERR_INVALID_ARGUMENT', 'sasResourceEncoding'],
    ['an unknown retry option', { retry: { forever: true } }, 'ERR_INVALID_ARGUMENT', 'retry.forever'],
    ['a retry option out of range', { retry: { maxRetries: 101 } }, 'ERR_OUT_OF_RANGE', 'retry.maxRetries'],
    ['an empty operation id', { resume: { operationId: '' } }, 'ERR_INVALID_ARGUMENT', 'resume.operationId'],
    ['a payload that is a function', { payload: () => 1 }, 'ERR_INVALID_ARGUMENT', 'payload'],
    ['a cyclic payload', { payload: cyclic }, 'ERR_INVALID_ARGUMENT', 'payload'],
    ['a signal that is none', { signal: { aborted: false } }, 'ERR_INVALID_ARGUMENT', 'signal'],
  ];

it.each(mistakes)('%s is refused before any IO', async (_what, options, code, argument) => {
  const transport = createScriptedTransport([]);
  const securityClient = createFakeTpm();
  const clock = new VirtualClock();
  const registering = register({
    ...target,
    transport,
    securityClient,
    clock,
    ...options,
  });
  await expect(registering).rejects.toMatchObject({
    name: 'InvalidArgumentError',
    code,
    argument,
    fault: 'caller',
  });
  expect(transport.calls).toEqual([]);
  expect(securityClient.calls).toEqual([]);
  expect(clock.pendingSleeps).toBe(0);
});

describe('a transport that does not carry the attestation', () => {
  it('is refused by its manifest, with its reason, before any IO', async () => {
    const transport = createScriptedTransport([], { attestations: ['x509'], carrier: 'mqtt' });
    const securityClient = createFakeTpm();
    await expect(register({ ...target, transport, securityClient })).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_CAPABILITY',
      required: 'tpm',
      available: ['x509'],
      message: 'cannot register with tpm over mqtt: not in this script',
    });
    expect(securityClient.calls).toEqual([]);
  });

  it('is refused when it carries a TPM but no challenge', () => {
    const transport = createScriptedTransport([], { challenge: 'none' });
    expect(() => new TpmRegistration('x.test', '0ne1', transport, createFakeTpm())).toThrow(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED_CAPABILITY' }),
    );
  });
});

describe('the classes', () => {
  const transport: Transport = createScriptedTransport([]);

  it.each([
    ['TpmRegistration', () => new TpmRegistration('x.test', '0ne1', transport, createFakeX509() as never)],
    ['X509Registration', () => new X509Registration('x.test', '0ne1', transport, createFakeTpm() as never)],
    [
      'SymmetricKeyRegistration',
      () => new SymmetricKeyRegistration('x.test', '0ne1', transport, createFakeTpm() as never),
    ],
  ])('%s refuses an identity of another kind', (_name, build) => {
    expect(build).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', argument: 'securityClient' }),
    );
  });

  it('refuse a payload that is not JSON when it is set', () => {
    const registration = new TpmRegistration('x.test', '0ne1', transport, createFakeTpm());
    expect(() => registration.setProvisioningPayload(1n as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', argument: 'payload' }),
    );
  });

  it('refuse a signal that is none, and can be used afterwards', async () => {
    const registration = new TpmRegistration('x.test', '0ne1', transport, createFakeTpm());
    await expect(registration.register({ signal: {} as never })).rejects.toMatchObject({
      argument: 'signal',
    });
    expect(registration.isRunning).toBe(false);
  });

  it('register with a symmetric key and with a certificate', async () => {
    const reply = assignedReply(operationId, { registrationId: 'device-1' });
    const script = createScriptedTransport([registerWith(reply), registerWith(reply)]);
    const symmetric = new SymmetricKeyRegistration(
      'x.test',
      '0ne1',
      script,
      createFakeSymmetricKey(new Uint8Array(32)),
    );
    const x509 = new X509Registration('x.test:8443', '0ne1', script, createFakeX509());
    expect([(await symmetric.register()).deviceId, (await x509.register()).deviceId]).toEqual([
      'device-1',
      'device-1',
    ]);
    script.assertDone();
  });

  it('let go of the signal of a run that is over', async () => {
    const reply = assignedReply(operationId, { registrationId: 'device-1' });
    const script = createScriptedTransport([registerWith(reply)]);
    const x509 = new X509Registration('x.test', '0ne1', script, createFakeX509());
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners += 1;
      addEventListener.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners -= 1;
      removeEventListener.apply(signal, args);
    };
    await x509.register({ signal });
    expect(listeners).toBe(0);
  });
});
