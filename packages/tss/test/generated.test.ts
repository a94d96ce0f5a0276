/** Oracle: the npm package tss.js 2.0.0. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as tss from '@endorse/tss';
import { describe, expect, it } from 'vitest';
import { generate, locateTssJs } from '../scripts/generate.ts';
import { applyEdits } from '../scripts/patches.ts';
import { original } from './support/original.ts';

const run = promisify(execFile);
const ourFile = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

describe('the generated form of tss.js', () => {
  it('is what scripts/generate.ts makes today (else run `pnpm install`)', async () => {
    for (const [name, text] of Object.entries(await generate('.ts'))) {
      expect(readFileSync(ourFile(`src/generated/${name}`), 'utf8') === text, name).toBe(true);
    }
  });

  it('exports everything the original does', () => {
    expect(Object.keys(original).filter((name) => !(name in tss))).toEqual([]);
  });

  it('has every command, each with both forms', () => {
    const commands = Object.getOwnPropertyNames(original.Tpm.prototype).filter(
      (name) => name !== 'constructor',
    );
    expect(commands).toHaveLength(122);
    for (const name of commands) expect(typeof Reflect.get(tss.Tpm.prototype, name), name).toBe('function');
  });

  it('carries the licence of the original, in each file and as a file', async () => {
    const license = readFileSync(`${locateTssJs()}/LICENSE`, 'utf8').replaceAll('\r\n', '\n');
    const files = await generate('.js');
    expect(files['LICENSE-tss.js.txt']).toBe(license);
    for (const [name, text] of Object.entries(files)) {
      expect(text, name).toContain('Copyright (c) Microsoft Corporation');
      expect(text, name).toContain('The above copyright notice and this permission notice shall be included');
    }
  });

  it('defect 12, mended: loads without a native module and without a deprecated call, pending ones included', async () => {
    const script = `
      const tss = await import('@endorse/tss');
      new tss.TpmBuffer(16); new tss.TpmBuffer(Buffer.from([1]));
      tss.Session.Pw(); tss.NullPwSession.SessIn.toBytes();
      process.report.excludeNetwork = true;
      console.log(process.report.getReport().sharedObjects.filter((name) => name.endsWith('.node')).length);`;
    const { stdout, stderr } = await run(
      process.execPath,
      [
        '--conditions=@endorse/source',
        '--throw-deprecation',
        '--pending-deprecation',
        '--input-type=module',
        '--eval',
        script,
      ],
      { cwd: ourFile('.') },
    );
    expect({ stdout: stdout.trim(), stderr }).toEqual({ stdout: '0', stderr: '' });
  });

  it('is not made from a tss.js that is written differently', () => {
    const edit = { why: 'it hurts', find: /a/g, replacement: 'b', times: 2 };
    expect(applyEdits('x.js', 'aa', [edit])).toBe('bb');
    expect(() => applyEdits('x.js', 'a', [edit])).toThrow(
      'x.js: expected 2 places to mend, found 1 (it hurts)',
    );
  });
});
