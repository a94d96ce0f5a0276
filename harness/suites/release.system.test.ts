/**
 * The rehearsal of a release: versions and changelogs are written, everything is built and published, to a registry on
 * this machine, and empty projects install from it and register a device, on every supported Node.js.
 */
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packagesWithInstallScripts } from '../../scripts/checks/packaging/empty-project.ts';
import type { NpmLock } from '../../scripts/checks/packaging/empty-project.ts';
import { readWorkspace } from '../../scripts/checks/workspace.ts';
import type { Manifest } from '../../scripts/checks/workspace.ts';
import { locateMinimumNode, locateNewestNode } from '../../scripts/lib/other-nodes.mjs';
import { locateToolchain, npmCommand } from '../../scripts/lib/toolchain.mjs';
import { copyCheckout } from '../support/release/checkout-copy.ts';
import type { CheckoutCopy } from '../support/release/checkout-copy.ts';
import { startLocalRegistry } from '../support/release/local-registry.ts';
import type { LocalRegistry } from '../support/release/local-registry.ts';
import { runToEnd } from '../support/release/run-to-end.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const published = readWorkspace(root).filter(({ manifest }) => manifest.private !== true);
const names = published.map(({ manifest }) => manifest.name).toSorted();
const releaseTimeoutMs = 600_000;

const resources = new AsyncDisposableStack();
afterAll(() => resources.disposeAsync());

let registry: LocalRegistry;
let copy: CheckoutCopy;
let version: string;

beforeAll(async () => {
  registry = resources.use(await startLocalRegistry());
  // Only the service that builds a release can attest where it was built.
  copy = resources.use(await copyCheckout(root, { NPM_CONFIG_PROVENANCE: 'false' }));
  await copy.runTool('node_modules/@changesets/cli/bin.js', 'version');
  copy.commit('Release');
  version = manifestOf('interface').version;
  await copy.runTool('node_modules/turbo/bin/turbo', 'run', 'build', '--cache=local:rw');
  writeFileSync(join(copy.folder, '.npmrc'), registry.npmrc);
  await copy.runTool('node_modules/@changesets/cli/bin.js', 'publish');
}, releaseTimeoutMs);

describe('what is released', () => {
  test('is every public package, in one version above the last', async () => {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(version).not.toBe(published[0]?.manifest.version);
    for (const name of names) expect((await packument(name)).versions, name).toHaveProperty([version]);
    expect(readdirSync(join(copy.folder, '.changeset')).filter((file) => file.endsWith('-first.md'))).toEqual(
      [],
    );
  });

  test('depends on its own packages by ranges that the version satisfies, and on others as the catalog says', async () => {
    for (const name of names) {
      const { dependencies = {}, peerDependencies = {} } = await released(name);
      for (const [dependency, range] of Object.entries({ ...peerDependencies, ...dependencies })) {
        expect(range, `${name} on ${dependency}`).not.toMatch(/workspace:|catalog:/);
        if (dependency.startsWith('@endorse/')) expect(range, `${name} on ${dependency}`).toBe(`^${version}`);
      }
    }
  });

  test('says where it comes from, so that a registry can attest it', async () => {
    for (const name of names) {
      const manifest = await released(name);
      expect(manifest['publishConfig'], name).toEqual({ access: 'public', provenance: true });
      expect(manifest['repository'], name).toMatchObject({
        url: 'git+https://github.com/endorse-iot/endorse.git',
      });
      expect(manifest['license'], name).toBe('MIT');
    }
    const workflow = readFileSync(join(root, '.github/workflows/release.yml'), 'utf8');
    expect(workflow).toMatch(/id-token: write/);
  });

  test('has a changelog that tells the user what is new', () => {
    for (const { folder } of published) {
      const changelog = readFileSync(join(copy.folder, folder, 'CHANGELOG.md'), 'utf8');
      expect(changelog, folder).toContain(`## ${version}`);
      expect(changelog, folder).toMatch(/^- (?:[0-9a-f]+: )?\S.*[.!]$/m);
    }
  });
});

/** Examples, and what each does before it is started with Node.js. */
const consumers = [
  { example: 'consumer-esm', program: 'register.js' },
  { example: 'consumer-cjs', program: 'register.cjs' },
  { example: 'consumer-typescript', program: 'dist/register.js', build: 'node_modules/typescript/bin/tsc' },
] as const;

describe.each(consumers)('$example', ({ example, program, ...rest }) => {
  let project: Project;
  beforeAll(async () => {
    project = resources.use(await install(example));
    if ('build' in rest) await runToEnd(process.execPath, [rest.build], { cwd: project.folder });
  }, releaseTimeoutMs);

  test('installs without running a script', () => {
    expect(packagesWithInstallScripts(project.lock)).toEqual([]);
  });

  test('has what the project depends on and the licence of each', () => {
    const ours = Object.entries(project.lock.packages).filter(([path]) => path.includes('@endorse/'));
    expect(ours.length).toBeGreaterThan(5);
    for (const [path, entry] of ours) {
      expect(entry.version, path).toBe(version);
      const files = readdirSync(join(project.folder, path));
      expect(files, path).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'dist']));
    }
  });

  test.each([
    ['oldest', locateMinimumNode],
    ['pinned', async (): Promise<string> => process.execPath],
    ['newest', locateNewestNode],
  ] as const)('registers a device on the %s Node.js', async (_which, locate) => {
    const node = await locate(root);
    if (node === undefined) throw new Error('there is no package of this Node.js for this platform');
    const output = await runToEnd(node, [program], { cwd: project.folder });
    expect(JSON.parse(output)).toMatchObject({
      status: 'assigned',
      assignedHub: expect.stringMatching(/:\d+$/),
    });
  });
});

test('the example suite of the harness passes, its simulators being processes', async () => {
  await using project = await install('vitest-suite');
  const output = await runToEnd(process.execPath, ['node_modules/vitest/vitest.mjs', 'run'], {
    cwd: project.folder,
    env: { ...process.env, NO_COLOR: '1', NODE_OPTIONS: '' },
  });
  expect(output).toMatch(/Tests\s+3 passed \(3\)/);
});

test.each(['drs', 'dps'])('the sample loop is provisioned as it is installed (%s)', async (dialect) => {
  await using project = await install('provisioning-loop');
  const output = await runToEnd(process.execPath, ['loop.js'], {
    cwd: project.folder,
    env: { ...process.env, NODE_OPTIONS: '', DIALECT: dialect },
  });
  expect(output).toContain('PROV_DEVICE_RESULT_OK');
});

test('one package can be upgraded inside its range, and the rest goes on with it', async () => {
  await using project = await install('consumer-esm');
  const manifest = manifestOf('tpm2');
  const next = version.replace(/\d+$/, (patch) => String(Number(patch) + 1));
  writeFileSync(
    join(copy.folder, 'packages/tpm2/package.json'),
    JSON.stringify({ ...manifest, version: next }),
  );
  const { pnpm } = locateToolchain(root);
  await copy.runTool(pnpm, '--filter', '@endorse/tpm2', 'publish', '--no-git-checks');
  await npm(project.folder, 'update', '@endorse/tpm2');
  const lock = readLock(project.folder);
  const versions = Object.entries(lock.packages).filter(([path]) => path.endsWith('@endorse/tpm2'));
  expect(versions.map(([, entry]) => entry.version)).toEqual([next]);
  expect(lock.packages['node_modules/@endorse/security-tpm']?.version).toBe(version);
  const output = await runToEnd(process.execPath, ['register.js'], { cwd: project.folder });
  expect(JSON.parse(output)).toMatchObject({ status: 'assigned' });
});

interface Project extends AsyncDisposable {
  readonly folder: string;
  readonly lock: NpmLock;
}

/** Copies an example out of the checkout and installs it from the local registry. */
async function install(example: string): Promise<Project> {
  const folder = mkdtempSync(join(tmpdir(), 'endorse-consumer-'));
  cpSync(join(root, 'harness/examples', example), folder, { recursive: true });
  writeFileSync(join(folder, '.npmrc'), registry.npmrc);
  await npm(folder, 'install');
  return {
    folder,
    lock: readLock(folder),
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function npm(folder: string, ...args: readonly string[]): Promise<void> {
  const [command = 'npm', ...prefix] = npmCommand();
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await runToEnd(command, [...prefix, ...args, ...options], { cwd: folder });
}

function readLock(folder: string): NpmLock {
  return JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as NpmLock;
}

function manifestOf(name: string): Manifest {
  return JSON.parse(readFileSync(join(copy.folder, 'packages', name, 'package.json'), 'utf8')) as Manifest;
}

interface Packument {
  readonly versions: Readonly<Record<string, Manifest>>;
}

async function packument(name: string): Promise<Packument> {
  const response = await fetch(registry.url + encodeURIComponent(name), {
    signal: AbortSignal.timeout(10_000),
  });
  return (await response.json()) as Packument;
}

async function released(name: string): Promise<Manifest> {
  const manifest = (await packument(name)).versions[version];
  if (manifest === undefined) throw new Error(`${name}@${version} is not in the registry`);
  return manifest;
}
