/** `npm run demo` as a person and a program run it: a process of its own, whose output is all there is to judge it by. */
import type { ProvisioningReport } from '@endorse/provisioning-utility';
import { describe, expect, test } from 'vitest';
import { factoryPassword } from '../gateways/spec.ts';
import type { ProgramRun } from '../support/run-program.ts';
import { parseJsonLines, runProgram } from '../support/run-program.ts';

const demo = new URL('../demo/main.ts', import.meta.url);

function runDemo(...args: readonly string[]): Promise<ProgramRun> {
  return runProgram(demo, args, { NO_COLOR: '1' });
}

const stories = [
  {
    attestation: 'tpm',
    deliveries: 2,
    refusals: {
      'tampered-challenge': 'ERR_TPM_INTEGRITY',
      'another-tpm': 'ERR_SERVICE_BAD_REQUEST',
      'another-tpm-with-copied-public-keys': expect.stringMatching(/^ERR_TPM_/) as unknown,
    },
  },
  { attestation: 'symmetric-key', deliveries: 1, refusals: { 'wrong-key': 'ERR_SERVICE_UNAUTHORIZED' } },
  { attestation: 'x509', deliveries: 1, refusals: { 'wrong-key': 'ERR_SERVICE_UNAUTHORIZED' } },
] as const;

describe.each(stories)('the demo of $attestation', ({ attestation, deliveries, refusals }) => {
  test('registers, delivers and is refused as told, in JSON lines of which the last is done', async () => {
    const { exitCode, stdout, stderr } = await runDemo('--attestation', attestation, '--json');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const events = parseJsonLines(stdout);
    expect(events.at(-1)).toEqual({ event: 'done', ok: true, wallMs: expect.any(Number) as unknown });
    const named = (name: string): typeof events => events.filter(({ event }) => event === name);
    expect(named('assigned')).toMatchObject([{ deviceId: 'demo-device' }]);
    expect(named('telemetry').map(({ status }) => status)).toEqual(
      Array.from({ length: deliveries }, () => 204),
    );
    expect(Object.fromEntries(named('refused').map(({ scenario, code }) => [scenario, code]))).toEqual(
      refusals,
    );
    const isTpm = attestation === 'tpm';
    expect(named('tpm-command').length > 0).toBe(isTpm);
    expect(named('assigned').some((event) => 'tpmCommands' in event)).toBe(isTpm);
  });
});

test.each([
  ['tpm', 'amqp'],
  ['symmetric-key', 'amqp-ws'],
  ['symmetric-key', 'mqtt'],
  ['x509', 'mqtt-ws'],
])('the demo of %s is told over %s, too', async (attestation, transport) => {
  const { exitCode, stdout } = await runDemo(
    '--attestation',
    attestation,
    '--transport',
    transport,
    '--json',
  );
  expect(exitCode, stdout).toBe(0);
  const events = parseJsonLines(stdout);
  expect(events).toContainEqual(expect.objectContaining({ event: 'assigned', deviceId: 'demo-device' }));
  const happened = events.flatMap(({ event, name }) => (event === 'progress' ? [name] : []));
  // The hub takes twins and methods over MQTT only.
  expect(happened.includes('method')).toBe(transport.startsWith('mqtt'));
});

test('the demo refuses a TPM over MQTT with the reason', async () => {
  const { exitCode, stderr } = await runDemo('--transport', 'mqtt');
  expect([exitCode, stderr]).toEqual([
    2,
    expect.stringContaining('does not offer TPM attestation over MQTT'),
  ]);
});

test(
  'the demo of the utility provisions what can be provisioned, and says why the rest is not',
  { timeout: 180_000 },
  async () => {
    // Twenty gateways make their keys, and two of them are waited for in vain.
    const { exitCode, stdout, stderr } = await runProgram(demo, ['--utility', '--json'], {}, 170_000);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const events = parseJsonLines(stdout);
    expect(events.at(-1)).toMatchObject({ event: 'done', ok: true });
    const report = events.find(({ event }) => event === 'report')?.['report'] as ProvisioningReport;
    expect(report.totals).toMatchObject({
      provisioned: 14,
      pending: 1,
      skipped: 1,
      failed: 1,
      conflict: 3,
      blocked: 1,
    });
    for (const { outcome, problem } of report.devices) {
      expect(problem === undefined).toBe(outcome === 'provisioned' || outcome === 'pending');
    }
    expect(stdout).not.toContain(factoryPassword);
  },
);

describe.each(['drs', 'dps'])('the demo of the pump-driven client (%s)', (dialect) => {
  test('shows the states, the hub and both refusals', async () => {
    const { exitCode, stdout, stderr } = await runDemo('--client', 'll', '--dialect', dialect, '--json');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const events = parseJsonLines(stdout);
    expect(events.at(-1)).toMatchObject({ event: 'done', ok: true });
    const states = events.flatMap(({ event, name }) =>
      event === 'progress' && String(name).startsWith('state ') ? [String(name).slice('state '.length)] : [],
    );
    expect(states.slice(0, 10)).toEqual([
      'REGISTER_SEND',
      'REGISTER_SENT',
      'REGISTER_RECV',
      'CONFIRM_SEND',
      'CONFIRM_SENT',
      'CONFIRM_RECV',
      'URL_REQ_SEND',
      'URL_REQ_SENT',
      'URL_REQ_RECV',
      'READY',
    ]);
    const named = (name: string): typeof events => events.filter(({ event }) => event === name);
    expect(named('assigned')).toMatchObject([{ deviceId: 'demo-device' }]);
    expect(named('telemetry')).toMatchObject([{ status: 204 }]);
    expect(named('refused').map(({ scenario, code }) => [scenario, code])).toEqual([
      ['another-tpm', 'ERR_PROV_TRANSPORT'],
      ['another-tpm-with-copied-public-keys', 'ERR_PROV_KEY'],
    ]);
  });
});

test('the demo of dynamic registration loses a reply, and neither a device nor a secret', async () => {
  const { exitCode, stdout, stderr } = await runDemo('--dynamic', '--json');
  expect({ exitCode, stderr }, stdout).toEqual({ exitCode: 0, stderr: '' });
  const events = parseJsonLines(stdout);
  const happened = events.filter(({ event }) => event === 'progress').map(({ name }) => name);
  expect(happened).toEqual(
    expect.arrayContaining(['token minted', 'no reply', 'acknowledged', 'state published', 'session ended']),
  );
  const refused = events.filter(({ event }) => event === 'refused');
  expect(refused.map(({ scenario, code }) => [scenario, code])).toEqual([
    ['clone', 'ERR_REGISTRATION_REFUSED'],
    ['another-client-id', 'ERR_TRANSPORT_CLOSED'],
    ['revoked', 'ERR_TRANSPORT_CLOSED'],
  ]);
  expect(events.at(-1)).toMatchObject({ event: 'done', ok: true });
});

test('the demo tells a person the same', async () => {
  const { exitCode, stdout } = await runDemo('--attestation', 'symmetric-key');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/✓ assigned .*\n[^]*✓ hub accepted .*\n[^]*✗ refused .*\n\n Done in /);
  expect(stdout).not.toContain('TPM');
});

test.each([
  [
    '--transport',
    'carrier-pigeon',
    /--transport is carrier-pigeon, but it must be one of: http, amqp, amqp-ws, mqtt, mqtt-ws\n/,
  ],
  ['--client', 'rust', /--client is rust, but it must be one of: core, ll\n/],
  ['--dialect', 'drs', /--dialect needs --client ll\n/],
  ['--attestation', 'toString', /--attestation is toString, but .* tpm, symmetric-key, x509\n/],
])('%s %s ends with 2 and the usage', async (flag, value, problem) => {
  const { exitCode, stdout, stderr } = await runDemo(flag, value);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toMatch(problem);
  expect(stderr).toContain('Usage: npm run demo');
});
