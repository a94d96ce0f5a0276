import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { jsonLines, runInProcess } from './support/run-in-process.ts';

const commandNames = [
  'tpm info',
  'doctor',
  'register',
  'enrollment list',
  'enrollment show',
  'enrollment create',
  'enrollment delete',
  'enrollment disable',
  'enrollment enable',
  'emulator',
  'discover',
  'plan',
  'apply',
  'report',
  'explain',
  'registrar',
  'token mint',
  'token inspect',
  'token list',
  'token revoke',
  'self-register',
];
const register = ['register', '--host', 'localhost:1', '--id-scope', 'scope', '--tpm', 'swtpm://localhost:1'];

describe('help', () => {
  test.each([['--help'], ['-h'], ['help']])(
    '%s lists the commands, exit codes and TPM addresses',
    async (word) => {
      const { exitCode, stdout, stderr } = await runInProcess([word]);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      for (const name of [...commandNames, '130', 'device:///dev/tpmrm0']) expect(stdout).toContain(name);
    },
  );

  test.each(commandNames)('of %s teaches: usage, options, examples, exit codes', async (name) => {
    const words = name.split(' ');
    const [byFlag, byWord] = await Promise.all([
      runInProcess([...words, '--help']),
      runInProcess(['help', ...words]),
    ]);
    expect(byFlag).toEqual(byWord);
    expect(byFlag.exitCode).toBe(0);
    for (const heading of ['Usage', 'Options', 'Examples', 'Exit codes', '--json', `endorse ${name}`]) {
      expect(byFlag.stdout).toContain(heading);
    }
  });

  test('wins over options that are missing', async () => {
    expect((await runInProcess(['register', '--help'])).exitCode).toBe(0);
  });

  test('fits a terminal, long examples aside', async () => {
    const texts = await Promise.all(commandNames.map((name) => runInProcess([...name.split(' '), '--help'])));
    const lines = texts
      .flatMap(({ stdout }) => stdout.split('\n'))
      .filter((line) => !line.includes('endorse '));
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
  });

  test('has colours on a terminal, and none with NO_COLOR', async () => {
    const escape = String.fromCharCode(27);
    const text = async (env: Readonly<Record<string, string>>, terminal: boolean): Promise<boolean> =>
      (await runInProcess(['--help'], { env, terminal })).stdout.includes(escape);
    expect(await text({}, true)).toBe(true);
    expect(await text({}, false)).toBe(false);
    expect(await text({ NO_COLOR: '1' }, true)).toBe(false);
    expect(await text({ NO_COLOR: '' }, true)).toBe(true);
    expect(await text({ FORCE_COLOR: '1' }, false)).toBe(true);
    expect(await text({ FORCE_COLOR: '0' }, true)).toBe(false);
    expect(await text({ TERM: 'dumb' }, true)).toBe(false);
  });
});

test('--version prints the version of the package', async () => {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(manifest) as { readonly version: string };
  expect(await runInProcess(['--version'])).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
});

describe('a command line that cannot be followed ends with 2 and says why', () => {
  test.each([
    ['nothing', [], /no command given/],
    ['an unknown command', ['regster'], /no command "regster"; did you mean register\?/],
    ['a command nothing is near', ['frobnicate'], /no command "frobnicate"; there are: /],
    ['half a command', ['tpm'], /no command "tpm"; did you mean tpm info\?/],
    ['a misspelt half', ['tpm', 'inof'], /did you mean tpm info\?/],
    ['an option before the command', ['--verbose', 'doctor'], /no command before --verbose/],
    [
      'an unknown option',
      [...register, '--timeout', '5'],
      /no option "--timeout"; did you mean --timeout-ms\?/,
    ],
    ['a misspelt option', ['register', '--hots', 'x'], /no option "--hots"; did you mean --host\?/],
    ['a short option', ['doctor', '-x'], /no option "-x"/],
    ['a password on the command line', [...register, '--owner-auth', 'x'], /did you mean --owner-auth-env\?/],
    ['an argument without an option', ['doctor', 'localhost'], /unexpected argument "localhost"/],
    ['an option without its value', ['register', '--host', '--id-scope', 's'], /--host needs a value/],
    ['an option at the end', ['register', '--host'], /--host needs a value/],
    ['an empty value', ['register', '--host='], /--host needs a value/],
    ['a value for a switch', ['doctor', '--json=yes'], /--json takes no value/],
    ['an option twice', [...register, '--host', 'b'], /--host is given twice/],
    ['a missing option', ['register', '--host', 'a'], /--id-scope is missing/],
    [
      'a number that is none',
      ['emulator', '--http-port', 'x'],
      /--http-port must be a whole number from 0 to 65535/,
    ],
    ['a number out of range', ['emulator', '--http-port', '65536'], /--http-port must be a whole number/],
    [
      'an unknown transport',
      [...register, '--transport', 'https'],
      /--transport must be one of .*did you mean http\?/,
    ],
    [
      'a bad host',
      ['register', '--host', 'https://a', ...register.slice(3)],
      /--host must be a host without a scheme/,
    ],
    [
      'a bad scope',
      ['register', '--host', 'a', '--id-scope', 'a/b', '--tpm', 'tbs:'],
      /--id-scope must have/,
    ],
    ['a bad registration id', [...register, '--registration-id', 'a b'], /--registration-id must consist of/],
    ['a bad TPM address', [...register.slice(0, 5), '--tpm', '/dev/tpmrm0'], /--tpm has an unknown scheme/],
    ['a CA file that is not there', [...register, '--ca', '/nonexistent'], /--ca: cannot read \/nonexistent/],
    [
      'a payload file that is not there',
      [...register, '--payload-file', '/nonexistent'],
      /--payload-file: cannot read/,
    ],
    ['a CA file without certificates', [...register, '--ca', '/dev/null'], /--ca must hold PEM certificates/],
    [
      'a variable that is not set',
      [...register, '--owner-auth-env', 'NOT_SET'],
      /names NOT_SET, which is not set/,
    ],
    [
      'a bind that others can reach',
      ['emulator', '--bind', '0.0.0.0'],
      /--bind is 0\.0\.0\.0, which other machines can reach/,
    ],
  ])('%s', async (_name, args, problem) => {
    const { exitCode, stdout, stderr } = await runInProcess(args);
    expect(stderr).toMatch(problem);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  });

  test('with --json as an event on standard output, too', async () => {
    const { stdout, stderr } = await runInProcess(['register', '--hots', 'x', '--json']);
    expect(jsonLines(stdout)).toMatchObject([
      { event: 'error', command: 'endorse register', code: 'ERR_USAGE' },
    ]);
    expect(stderr).toMatch(/did you mean --host/);
  });

  test.each(['mqtt', 'mqtt-ws'])(
    '%s is refused for a TPM before it is opened, with the reason',
    async (carrier) => {
      const args = [...register, '--transport', carrier, '--json'];
      const { exitCode, stdout, stderr } = await runInProcess(args);
      expect(exitCode).toBe(2);
      expect(stderr).toMatch(/does not offer TPM attestation over MQTT/);
      expect(jsonLines(stdout)).toMatchObject([{ event: 'error', code: 'ERR_UNSUPPORTED_CAPABILITY' }]);
    },
  );
});

test('a secret that was passed where a variable name belongs is not repeated', async () => {
  const secret = 'correct horse battery staple';
  for (const args of [
    [...register, '--owner-auth-env', secret],
    [...register, `--owner-auth=${secret}`],
  ]) {
    const { exitCode, stdout, stderr } = await runInProcess([...args, '--json']);
    expect(exitCode).toBe(2);
    expect(`${stdout}${stderr}`).not.toContain(secret);
  }
});
