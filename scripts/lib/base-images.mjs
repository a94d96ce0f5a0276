/**
 * The base images that our Dockerfiles build on.
 *
 * The engine's registry is asked first. Where none is reachable, the same images are made from the
 * distribution's packages: Debian by debootstrap, Node.js by adding our pinned one to it.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runStep } from './child.mjs';
import { StepError, announce } from './step.mjs';
import { missingTools } from './system-tools.mjs';

const step = 'provide base images';
const remedy = 'make an image registry reachable for the container engine, or run this as root on Debian';
const pullTimeoutMs = 300_000;

/**
 * Images named by a `FROM` of our Dockerfiles, each once; Debian's come first, because others are made from them.
 *
 * @param {string} root
 * @returns {string[]}
 */
export function baseImages(root) {
  const images = join(root, 'harness/images');
  const dockerfiles = readdirSync(images)
    .map((name) => join(images, name, 'Dockerfile'))
    .filter((file) => existsSync(file));
  const names = dockerfiles.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^FROM\s+(\S+)/gm)].map(([, name]) => name),
  );
  return [...new Set(names)].toSorted((one, other) => one.localeCompare(other));
}

/** Makes every base image available to the engine. */
export async function provideBaseImages(root, { node, env }) {
  for (const image of baseImages(root)) {
    if (succeeds(['image', 'inspect', image], env)) continue;
    if (succeeds(['pull', '--quiet', image], env, pullTimeoutMs)) continue;
    announce(`making the image ${image}, as no image registry is reachable`);
    const debian = /^debian:([a-z]+)-slim$/.exec(image)?.[1];
    const underNode = /^node:\d+-([a-z]+)-slim$/.exec(image)?.[1];
    if (debian !== undefined) await makeDebian(image, debian, env);
    else if (underNode !== undefined) await makeNode(image, `debian:${underNode}-slim`, node, env);
    else throw new StepError(step, `no registry has ${image}, and we cannot make it`, remedy);
  }
}

function succeeds(args, env, timeout = 30_000) {
  return spawnSync('docker', args, { env, stdio: 'ignore', timeout }).status === 0;
}

async function makeDebian(image, suite, env) {
  if (process.getuid?.() !== 0 || missingTools(['debootstrap']).length > 0) {
    throw new StepError(step, `no registry has ${image}, and making it needs root and debootstrap`, remedy);
  }
  await inFolder(async (folder) => {
    const tree = join(folder, 'tree');
    const archive = join(folder, 'tree.tar');
    const run = (command, ...args) => runStep({ step, remedy, command, args, cwd: folder, env });
    await run('/usr/sbin/debootstrap', '--variant=minbase', suite, tree);
    await run('rm', '-rf', join(tree, 'var/cache/apt/archives'), join(tree, 'var/lib/apt/lists'));
    await run('mkdir', '-p', join(tree, 'var/cache/apt/archives/partial'));
    await run('tar', '-C', tree, '-cf', archive, '.');
    await run('docker', 'import', '--change', 'CMD ["bash"]', archive, image);
  });
}

async function makeNode(image, base, node, env) {
  await inFolder(async (folder) => {
    copyFileSync(node, join(folder, 'node'));
    const dockerfile = `FROM ${base}\nCOPY node /usr/local/bin/node\nCMD ["node"]\n`;
    writeFileSync(join(folder, 'Dockerfile'), dockerfile);
    const args = ['build', '--quiet', '--tag', image, folder];
    await runStep({ step, remedy, command: 'docker', args, cwd: folder, env });
  });
}

async function inFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), 'endorse-image-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
