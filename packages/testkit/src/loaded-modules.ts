import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** What a script loaded. */
export interface LoadedModules {
  /** URLs, in order; `node:` for modules of Node.js that were imported by name. */
  readonly files: readonly string[];
  /** Modules of Node.js that open connections. */
  readonly networking: readonly string[];
}

const run = promisify(execFile);

const networkingModules = ['net', 'tls', 'http', 'https'].map((name) => `NativeModule ${name}`);

/** Runs a script in a fresh process, which resolves as a module beside `base` would, and returns what it loaded. */
export async function findLoadedModules(base: string, script: string): Promise<LoadedModules> {
  const recorder = `
    import { registerHooks } from 'node:module';
    const files = [];
    registerHooks({ load(url, context, next) { files.push(url); return next(url, context); } });
    const before = new Set(process.moduleLoadList);
    ${script}
    const builtins = process.moduleLoadList.filter((name) => !before.has(name));
    console.log(JSON.stringify({ files, builtins }));
  `;
  const args = ['--conditions=@endorse/source', '--input-type=module', '--eval', recorder];
  const { stdout } = await run(process.execPath, args, {
    cwd: fileURLToPath(new URL('.', base)),
    timeout: 20_000,
  });
  const { files, builtins } = JSON.parse(stdout) as { readonly files: string[]; readonly builtins: string[] };
  return { files, networking: builtins.filter((name) => networkingModules.includes(name)) };
}
