/** The sample loop of `examples/`, as somebody who copied it runs it. */
import { expect, test } from 'vitest';
import { runProgram } from '../support/run-program.ts';

const program = new URL('../examples/provisioning-loop/loop.js', import.meta.url);

test.each(['drs', 'dps'])('the sample loop is provisioned without stalling (%s)', async (dialect) => {
  const { exitCode, stdout, stderr } = await runProgram(program, [], { DIALECT: dialect });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  expect(lines.slice(0, 4).map((line) => line.replace('PROV_DEVICE_REG_STATUS_', ''))).toEqual([
    'CONNECTED',
    'REGISTERING',
    'ASSIGNING',
    'ASSIGNED',
  ]);
  expect(lines[4]).toMatch(/^PROV_DEVICE_RESULT_OK localhost:\d+ [a-z2-7]{52}$/);
  // It sampled at every turn, and there were at least as many turns as there are states.
  const samples = /^(?<samples>\d+) samples taken meanwhile, the longest turn [\d.]+ ms$/.exec(
    lines[5] ?? '',
  );
  expect(Number(samples?.groups?.['samples'])).toBeGreaterThan(9);
});

test('the sample loop says what is wrong when there is no client', async () => {
  const { exitCode, stdout, stderr } = await runProgram(program, [], { DIALECT: 'dsr' });
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: 'options.dialect must be drs or dps\n' });
  expect(stdout).toMatch(/^0 samples taken/);
});
