/**
 * The public API of the packages others build on, one report a package in `docs/api`, to be read in a diff.
 *
 *   api-reports.mjs           compares; exits with 1 when a report is not what the code says
 *   api-reports.mjs --write   writes them
 *
 * The packages must be built. It runs in a program of its own, because its TypeScript is not that of the checkout.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const root = fileURLToPath(new URL('../..', import.meta.url));
const reportFolder = join(root, 'docs/api');
/** Whose changes break others. */
const packages = ['interface', 'protocol', 'registration-core', 'security-tpm'];

const write = process.argv.includes('--write');
const scratch = mkdtempSync(join(tmpdir(), 'endorse-api-'));
let stale = 0;
try {
  mkdirSync(reportFolder, { recursive: true });
  for (const name of packages) {
    const report = extract(name);
    const file = join(reportFolder, `${name}.api.md`);
    const kept = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (report === kept) continue;
    if (write) writeFileSync(file, report);
    else {
      stale += 1;
      process.stdout.write(`docs/api/${name}.api.md\n`);
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = stale === 0 ? 0 : 1;

function extract(name) {
  const folder = join(root, 'packages', name);
  const silent = { default: { logLevel: 'none' } };
  const configuration = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: join(folder, 'dist/index.d.ts'),
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2022',
            lib: ['es2024', 'esnext.disposable'],
            module: 'nodenext',
            moduleResolution: 'nodenext',
            types: ['node'],
            typeRoots: [join(root, 'node_modules/@types')],
            skipLibCheck: true,
            strict: true,
          },
          files: [join(folder, 'dist/index.d.ts')],
        },
      },
      apiReport: {
        enabled: true,
        reportFolder: scratch,
        reportTempFolder: scratch,
        reportFileName: `${name}.api.md`,
        includeForgottenExports: false,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        compilerMessageReporting: silent,
        extractorMessageReporting: silent,
        tsdocMessageReporting: silent,
      },
    },
  });
  const result = Extractor.invoke(configuration, { localBuild: true, showVerboseMessages: false });
  if (result.errorCount > 0) throw new Error(`api-extractor found ${result.errorCount} errors in ${name}`);
  return readFileSync(join(scratch, `${name}.api.md`), 'utf8');
}
