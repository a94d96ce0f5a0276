import { describe, expect, test } from 'vitest';
import { formatResult, runCheck } from '../checks/check.ts';
import { lintFindings } from '../checks/oxc.ts';
import { typeFindings } from '../checks/types.ts';
import { withoutLiveVariables } from '../suites/live-variables.ts';
import { requirementFindings, requirements } from '../suites/requirements.ts';
import { formatSummary, isGreen } from '../suites/summary.ts';

describe('requirements', () => {
  const documents = [{ document: 'd', packages: ['a', 'b'], prefix: 'SRS_X_16_', numbers: ['001', '002'] }];
  const passed = (title: string, folder = 'a'): { file: string; title: string } => ({
    file: `packages/${folder}/test/x.test.ts`,
    title,
  });

  test('an id that no passed test names is listed, for each package that has to show it', () => {
    const tests = [passed('[SRS_X_16_001] does'), passed('[SRS_X_16_001, SRS_X_16_002] does', 'b')];
    expect(requirementFindings(documents, tests)).toEqual([
      { file: 'packages/a/test', message: 'no passed test names SRS_X_16_002' },
    ]);
  });

  test('a misspelt id is listed', () => {
    const tests = ['a', 'b'].flatMap((folder) => [
      passed('SRS_X_16_001', folder),
      passed('SRS_X_16_002', folder),
    ]);
    expect(requirementFindings(documents, [...tests, passed('[SRS_X_16_020] does')])).toEqual([
      { file: 'packages/a/test/x.test.ts', message: 'SRS_X_16_020 is no requirement of any document' },
    ]);
  });

  test('short ids stand in brackets, and count wherever they were shown', () => {
    const short = [{ document: 'd', prefix: 'L', numbers: ['1', '2'] }];
    const tests = [passed('[L1] [M7] does, and [L] does'), passed('L2 does not count')];
    expect(requirementFindings(short, tests)).toEqual([{ message: 'no passed test names L2' }]);
    expect(requirementFindings(short, [...tests, passed('[L2] does'), passed('[L3] does')])).toEqual([
      { file: 'packages/a/test/x.test.ts', message: 'L3 is no requirement of any document' },
    ]);
  });

  test('the eleven requirements of TpmRegistration are in force', () => {
    const [document] = requirements;
    expect(document?.prefix).toBe('SRS_NODE_DPS_TPM_REGISTRATION_16_');
    expect(document?.numbers).toHaveLength(11);
  });
});

describe('a tier', () => {
  const suite = { name: 'unit', passed: 3, failed: 0, skipped: 0, durationMs: 1234 };

  test('is green when something ran and nothing failed', () => {
    expect(isGreen([suite])).toBe(true);
    expect(isGreen([suite, { ...suite, failed: 1 }])).toBe(false);
    expect(isGreen([{ ...suite, passed: 0 }])).toBe(false);
    expect(isGreen([])).toBe(false);
  });

  test('says so in its summary', () => {
    expect(formatSummary('test', [suite])).toContain('test: ok');
    expect(formatSummary('test', [{ ...suite, failed: 2 }])).toMatch(/FAILED[^]*2 failed/);
  });
});

describe('a check', () => {
  const check = { name: 'x', summary: '' };

  test('that throws has found something', async () => {
    const run = (): Promise<never> => Promise.reject(new Error('broken'));
    const result = await runCheck({ ...check, run }, '');
    expect(result.findings).toEqual([{ message: expect.stringContaining('broken') as string }]);
    expect(formatResult(result)).toContain('✗ x');
  });

  test('that only warns passes', async () => {
    const run = async (): Promise<[{ message: string; level: 'warning' }]> => [
      { message: 'long', level: 'warning' },
    ];
    expect(formatResult(await runCheck({ ...check, run }, ''))).toMatch(/✓ x[^]*warning: long/);
  });
});

describe('reading the tools', () => {
  test('a tool that fails without saying why is a finding', () => {
    expect(lintFindings(1, '{"diagnostics":[],"number_of_files":4}')).toHaveLength(1);
    expect(lintFindings(0, '{"diagnostics":[],"number_of_files":0}')).toHaveLength(1);
    expect(lintFindings(127, 'not found')).toHaveLength(1);
    expect(typeFindings(2, '')).toHaveLength(1);
    expect(lintFindings(0, '{"diagnostics":[],"number_of_files":4}')).toEqual([]);
    expect(typeFindings(0, '')).toEqual([]);
  });

  test('errors of the compiler keep their place and their continuation', () => {
    const output = "a/b.ts(3,7): error TS2322: Type 'x'.\n  Because of y.\nerror TS5112: no place.\n";
    expect(typeFindings(2, output)).toEqual([
      { file: 'a/b.ts', line: 3, message: "TS2322: Type 'x'.\nBecause of y." },
      { message: 'error TS5112: no place.' },
    ]);
  });
});

test('the tests are not told of a real service', () => {
  const environment = {
    ENDORSE_LIVE_ID_SCOPE: '0ne',
    ENDORSE_LIVE_ANYTHING: '1',
    ENDORSE_CONTAINERS: 'required',
  };
  expect(withoutLiveVariables(environment)).toEqual({ ENDORSE_CONTAINERS: 'required' });
});
