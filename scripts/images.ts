/** `npm run images`: builds the container images of `harness/images` from the packed packages. */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { installTarballs } from './checks/packaging/empty-project.ts';
import { packTarballs } from './checks/packaging/tarballs.ts';
import { runTool } from './checks/tool.ts';
import { announce } from './lib/step.mjs';
import { repositoryRoot as root } from './lib/root.mjs';

/** The images, and of which packages the `app` folder of each is made. */
const images: Readonly<Record<string, readonly string[]>> = {
  'tpm-simulator': [],
  'mssim-simulator': ['tpm-simulator'],
  emulator: ['cli'],
};

/** Builds every image as `endorse/<name>:local`. */
async function buildImages(): Promise<void> {
  const contexts = join(root, 'reports/images');
  rmSync(contexts, { recursive: true, force: true });
  for (const [name, packages] of Object.entries(images)) {
    announce(`building the image endorse/${name}:local`);
    const context = join(contexts, name);
    mkdirSync(contexts, { recursive: true });
    cpSync(join(root, 'harness/images', name), context, { recursive: true });
    if (packages.length > 0) await stageApp(join(context, 'app'), packages);
    const tag = `endorse/${name}:local`;
    const { exitCode, output } = await runTool('docker', ['build', '--quiet', '--tag', tag, context], {
      cwd: root,
      timeoutMs: 600_000,
    });
    if (exitCode !== 0) throw new Error(`docker build of ${name} failed:\n${output}`);
    process.stdout.write(`${tag}\n`);
  }
}

/** Installs the packages, and of the workspace what they depend on, as a user would. */
async function stageApp(folder: string, names: readonly string[]): Promise<void> {
  const all = await packTarballs(root);
  const wanted = new Set<string>();
  const visit = (packageName: string): void => {
    const tarball = all.find(({ workspacePackage }) => workspacePackage.manifest.name === packageName);
    if (tarball === undefined || wanted.has(packageName)) return;
    wanted.add(packageName);
    Object.keys(tarball.workspacePackage.manifest.dependencies ?? {}).forEach(visit);
  };
  for (const name of names) visit(`@endorse/${name}`);
  using project = await installTarballs(
    all.filter(({ workspacePackage }) => wanted.has(workspacePackage.manifest.name)),
  );
  cpSync(join(project.folder, 'node_modules'), join(folder, 'node_modules'), { recursive: true });
}

await buildImages();
