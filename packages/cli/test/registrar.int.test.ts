import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeDirectory } from './support/device.ts';
import { jsonLines, runInProcess } from './support/run-in-process.ts';
import { runProcess, startCli } from './support/run-process.ts';

async function startRegistrar(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const directory = await makeDirectory();
  const data = join(directory.path, 'registrar');
  const cli = startCli(['registrar', '--json', '--port', '0', '--data', data, ...args], env);
  const ready = JSON.parse(await cli.line(/"event":"ready"/)) as Record<
    'url' | 'caFile' | 'metricsUrl',
    string
  >;
  return {
    cli,
    data,
    ready,
    path: (name: string): string => join(directory.path, name),
    [Symbol.asyncDispose]: async () => {
      await cli[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

describe('endorse registrar, token and self-register', () => {
  test('from nothing to a registered device, a revoked token and a refused one', async () => {
    await using scene = await startRegistrar([
      '--broker',
      'mqtts://broker.example:8883',
      '--metrics-port',
      '0',
    ]);
    const { data, ready, path } = scene;
    expect(statSync(join(data, 'token-key-secret.pem')).mode & 0o777).toBe(0o600);
    const mint = [
      'token',
      'mint',
      '--url',
      ready.url,
      '--data',
      data,
      '--max-uses',
      '5',
      '--tag',
      'site=north',
    ];
    const minted = await runProcess(mint);
    expect(minted).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^reference jti:/) as string });
    writeFileSync(path('token.txt'), minted.stdout);
    const inspected = await runProcess(['token', 'inspect', '--token-file', path('token.txt'), '--json']);
    expect(jsonLines(inspected.stdout)).toMatchObject([
      { event: 'token-inspected', claims: { maxUses: 5, tags: { site: 'north' } } },
    ]);

    const register = (id: string) => [
      'self-register',
      '--json',
      '--token-file',
      path('token.txt'),
      '--ca',
      ready.caFile,
      '--manufacturer-id',
      id,
      '--state',
      path(`${id}.json`),
    ];
    const first = await runProcess(register('SN-1'));
    expect(first.exitCode).toBe(0);
    const registered = jsonLines(first.stdout).at(-1);
    expect(registered).toMatchObject({
      event: 'registered',
      source: 'registered',
      broker: 'mqtts://broker.example:8883',
    });
    const { accessSecret } = JSON.parse(readFileSync(path('SN-1.json'), 'utf8')) as { accessSecret: string };
    expect(accessSecret).toMatch(/^[\w-]{43}$/);
    const again = await runProcess(register('SN-1'));
    expect(jsonLines(again.stdout)).toMatchObject([{ event: 'registered', source: 'stored' }]);

    const store = ['--data', data, '--json'];
    expect(jsonLines((await runProcess(['token', 'list', ...store])).stdout)).toMatchObject([
      { uses: 1, maxUses: 5 },
    ]);
    const revoke = ['token', 'revoke', '--token-file', path('token.txt'), ...store];
    expect((await runProcess(revoke)).exitCode).toBe(0);
    expect((await runProcess(revoke)).exitCode).toBe(3);
    const refused = await runProcess(register('SN-2'));
    expect(refused.exitCode).toBe(1);
    expect(jsonLines(refused.stdout).at(-1)).toMatchObject({
      event: 'error',
      code: 'ERR_REGISTRATION_REFUSED',
    });
    const metrics = await (await fetch(ready.metricsUrl)).text();
    expect(metrics).toContain('endorse_registrar_registrations_total{result="created"} 1\n');
    // Whatever was printed, by whichever of them: no secret, and no token but where it is handed out.
    const printed = scene.cli.stdout() + scene.cli.stderr() + first.stdout + first.stderr + refused.stderr;
    expect(printed).not.toContain(accessSecret);
    expect(printed).not.toContain(minted.stdout.trim());
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s ends it with 130, and it goes on where it was',
    async (signal) => {
      await using scene = await startRegistrar();
      const ca = readFileSync(scene.ready.caFile, 'utf8');
      scene.cli.kill(signal);
      expect(await scene.cli.ended).toEqual({ exitCode: 130, signal: null });
      await using next = startCli(['registrar', '--json', '--port', '0', '--data', scene.data]);
      const ready = JSON.parse(await next.line(/"event":"ready"/)) as { caFile: string };
      expect(readFileSync(ready.caFile, 'utf8')).toBe(ca);
    },
  );

  test('in compatibility mode it takes any secret, with a warning, and the original’s request', async () => {
    const env = { JWT_SECRET: 'YOUR JWT SECRET' };
    const common = ['--token-secret-env', 'JWT_SECRET', '--issuer', 'example.com'];
    await using scene = await startRegistrar(['--compatible', '--plain-http', ...common], env);
    const minted = await runProcess(
      ['token', 'mint', '--compatible', '--url', scene.ready.url, ...common],
      env,
    );
    expect(minted.stderr).toContain('can be guessed');
    const post = async () => {
      const response = await fetch(scene.ready.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token: minted.stdout.trim(), manufacturerId: 'UNIQUE_MANUFACTURER_ID' }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, string> };
    };
    const { status, body } = await post();
    expect([status, Object.keys(body)]).toEqual([200, ['deviceId', 'accessKey', 'accessSecret']]);
    expect(await post()).toEqual({ status: 403, body: { error: 'Device already registered.' } });
    expect(jsonLines(scene.cli.stdout())).toContainEqual(expect.objectContaining({ event: 'weak-token' }));
    expect(existsSync(join(scene.data, 'token-key-secret.pem'))).toBe(false);
  });
});

describe('a command line that cannot be followed ends with 2 and says why', () => {
  test.each<readonly [string, readonly string[], RegExp]>([
    [
      'a weak secret in strict mode',
      ['registrar', '--token-secret-env', 'WEAK'],
      /has 4 bytes; HS256 needs at least 32/,
    ],
    [
      'a variable that is not set',
      ['registrar', '--token-secret-env', 'NOT_SET'],
      /NOT_SET, which is not set/,
    ],
    [
      'plain HTTP for everybody',
      ['registrar', '--plain-http', '--bind', '0.0.0.0', '--port', '0'],
      /--bind must be a loopback address/,
    ],
    ['PostgreSQL without a shared key', ['registrar', '--database-url-env', 'WEAK'], /needs --pepper-env/],
    ['a JWK set that is none', ['registrar', '--jwks', '/dev/null'], /is no JSON/],
    ['a token without a url', ['token', 'mint'], /--url/],
    ['an http url', ['token', 'mint', '--url', 'http://register.example.com/'], /must be an https URL/],
    [
      'a lifetime without a unit',
      ['token', 'mint', '--url', 'https://x.example/', '--expires-in', '90'],
      /90d, 12h/,
    ],
    ...(
      [
        ['--expires-in', '9999d', 'must be one second to five years'],
        ['--token-id', 'a b', 'must be 1 to 128 printable ASCII'],
        ['--id-pattern', 'x'.repeat(256), 'must be a text of 1 to 255'],
        ['--recipe', 'a/b', 'must be 1 to 64 letters'],
        ['--broker', 'broker', 'must be an mqtts, mqtt, wss or ws URL'],
        ['--ek', '00', 'must be `any` or 1 to 64 Names'],
      ] as const
    ).map(
      ([option, value, rule]) =>
        [
          `a token with an unusable ${option}`,
          ['token', 'mint', '--url', 'https://x.example/', option, value],
          new RegExp(`${option} ${rule}`),
        ] as const,
    ),
    ['two tokens', ['token', 'inspect', '--token-env', 'WEAK', '--token-file', 'x'], /two tokens/],
    ['no token', ['token', 'inspect'], /no token given/],
    ['nothing to revoke', ['token', 'revoke'], /name one token/],
    ['a reference that is none', ['token', 'revoke', '--reference', 'x'], /32 hex digits/],
    ['no id', ['self-register', '--token-env', 'WEAK'], /--manufacturer-id/],
  ])('%s', async (_name, args, message) => {
    await using directory = await makeDirectory();
    const data =
      args[0] === 'registrar' || args[1] === 'mint' || args[1] === 'revoke' ? ['--data', directory.path] : [];
    const { exitCode, stderr } = await runInProcess([...args, ...data], { env: { WEAK: 'weak' } });
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
  });

  test('a token that is none is refused with 1, without being repeated', async () => {
    const { exitCode, stderr } = await runInProcess(['token', 'inspect', '--token-env', 'T'], {
      env: { T: 'not.a.token' },
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('ERR_TOKEN_REFUSED');
    expect(stderr).not.toContain('not.a.token');
  });

  test('a registrar that is not there: tried until time is up, then 1', async () => {
    await using directory = await makeDirectory();
    const url = 'https://localhost:9/api/register-device';
    const minted = await runProcess(['token', 'mint', '--url', url, '--data', directory.path]);
    const { exitCode, stderr } = await runProcess(
      [
        'self-register',
        '--token-env',
        'T',
        '--manufacturer-id',
        'x',
        '--state',
        join(directory.path, 's.json'),
        '--timeout-ms',
        '1000',
      ],
      { T: minted.stdout.trim() },
    );
    expect(exitCode).toBe(1);
    expect(stderr).toContain('ERR_TIMEOUT');
    expect(stderr).toContain('nothing is lost');
  });
});
