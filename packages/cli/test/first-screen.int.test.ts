/** The first screen of the emulator's README, typed in as it stands, takes a newcomer to a registered device. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { makeDirectory } from './support/device.ts';
import { startCli } from './support/run-process.ts';

const run = promisify(execFile);
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const readme = fileURLToPath(new URL('../../emulator/README.md', import.meta.url));
const program = 'npm run -s endorse -- ';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('the first two blocks of the README register a device', async () => {
  await using directory = await makeDirectory();
  const port = String(await freePort());
  const text = await readFile(readme, 'utf8');
  const [, section = ''] = text.split('## From a shell, in a minute');
  const blocks = Array.from(section.matchAll(/```sh\n([^]*?)```/g), ([, block = '']) => block);
  // What differs: the program is run from its sources, in a folder and on a port of the test's own.
  const [first = '', second = ''] = blocks.map((block) =>
    block.replaceAll('8443', port).replaceAll('./dps', `${directory.path}/dps`),
  );
  expect([first, second].every((block) => block.includes(program))).toBe(true);

  await using emulator = startCli(first.trim().slice(program.length).split(' '));
  await emulator.line(/The emulator is ready/);
  const script = second.replaceAll(program, `${process.execPath} --conditions=@endorse/source ${main} `);
  const { stdout } = await run('bash', ['-euc', script], { timeout: 25_000 });
  expect(stdout).toMatch(/^registration id +my-device\n/);
  expect(stdout).toMatch(/\nhub +localhost:\d+\ndevice id +my-device\n/);
});
