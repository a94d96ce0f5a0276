import { expect, test } from 'vitest';
import { benches } from '../../bench/registry.ts';
import { UsageError, parseArguments } from '../../bench/runner/arguments.ts';

test('without arguments every bench runs at its full size and no document is touched', () => {
  expect(parseArguments([], benches)).toEqual({
    kind: 'run',
    benches,
    size: 'full',
    fromReports: false,
    updateReadme: false,
    updateDocs: false,
    reports: undefined,
  });
});

test('the named benches run, in the order of the registry, quickly when told so', () => {
  const request = parseArguments(['tokens', 'carriers', '--quick'], benches);
  expect(request).toMatchObject({ kind: 'run', size: 'quick' });
  expect(request.kind === 'run' && request.benches.map(({ name }) => name)).toEqual(['carriers', 'tokens']);
});

test.each([
  [['nonsense'], /no bench is called nonsense; there are registration, .*registrar/],
  [['--carriers'], /--carriers/],
  [['--quick=yes'], /--quick/],
  [['--reports'], /--reports/],
  [['--quick', '--update-readme'], /do not go into documents/],
  [['--quick', '--update-docs', 'tokens'], /do not go into documents/],
  [['--quick', '--from-reports'], /take one of them/],
] as const)('%j is refused with a reason', (args, reason) => {
  const parse = (): unknown => parseArguments(args, benches);
  expect(parse).toThrow(UsageError);
  expect(parse).toThrow(reason);
});

test('the list and the help are asked for', () => {
  expect(parseArguments(['--list'], benches)).toEqual({ kind: 'list' });
  expect(parseArguments(['--help'], benches)).toEqual({ kind: 'help' });
});
