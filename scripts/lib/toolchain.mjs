/** Step 1: the pinned Node.js and pnpm, from the npm registry into `.toolchain/`. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { runStep } from './child.mjs';
import { pinned } from './pinned.mjs';
import { fingerprint, isStamped, stamp } from './stamp.mjs';
import { StepError, announce } from './step.mjs';

const step = 'provide Node.js and pnpm';
const pnpmEntry = 'node_modules/pnpm/bin/pnpm.mjs';

/**
 * Where the toolchain is, whether or not it is there yet.
 *
 * @returns {{ ready: boolean, node: string, pnpm: string, env: NodeJS.ProcessEnv, install: () => Promise<void> }}
 */
export function locateToolchain(root, env = process.env) {
  const folder = join(root, '.toolchain');
  const nodePackage = chooseNodePackage();
  const node =
    nodePackage === undefined ? process.execPath : join(folder, 'node_modules', nodePackage, 'bin/node');
  const pnpm = join(folder, pnpmEntry);
  const stampFile = join(folder, 'stamp');
  const wanted = fingerprint([], [pinned, process.platform, process.arch, nodePackage ?? 'running']);
  return {
    get ready() {
      return isStamped(stampFile, wanted) && existsSync(node) && existsSync(pnpm);
    },
    node,
    pnpm,
    env: withPath(env, [join(folder, 'bin'), dirname(node), join(root, 'node_modules/.bin')]),
    install: async () => {
      await install(folder, nodePackage);
      checkIntegrity(folder);
      checkRuns(node);
      writePnpmProgram(folder, node, pnpm);
      stamp(stampFile, wanted);
    },
  };
}

/** The package to install Node.js from; undefined when the running one is used. */
function chooseNodePackage() {
  const found = pinned.nodePackages[`${process.platform}-${process.arch}`];
  // The published binaries are linked against glibc.
  if (found !== undefined && !isMusl()) return found;
  if (Number(process.versions.node.split('.')[0]) >= Number(pinned.node.split('.')[0])) return undefined;
  const major = pinned.node.split('.')[0];
  throw new StepError(
    step,
    `there is no packaged Node.js ${pinned.node} for ${process.platform}-${process.arch}, and ${process.version} is too old`,
    `install Node.js ${major} or newer (macOS: brew install node@${major}; Alpine: apk add nodejs npm; Windows: use WSL) and repeat the command`,
  );
}

function isMusl() {
  return process.platform === 'linux' && process.report?.getReport().header.glibcVersionRuntime === undefined;
}

async function install(folder, nodePackage) {
  announce(
    `fetching ${nodePackage === undefined ? '' : `Node.js ${pinned.node} and `}pnpm ${pinned.pnpm} (once)`,
  );
  // What a half-finished earlier attempt left must not be mistaken for ours.
  rmSync(join(folder, 'node_modules'), { recursive: true, force: true });
  const packages = [
    `pnpm@${pinned.pnpm}`,
    ...(nodePackage === undefined ? [] : [`${nodePackage}@${pinned.node}`]),
  ];
  await npmInstall(folder, packages, {
    step,
    remedy:
      'check that `npm ping` works (proxy, registry and certificate settings of npm are respected), then repeat',
  });
}

/**
 * Installs packages of the npm registry into a folder that is no project, their scripts refused.
 *
 * @param {string} folder Where `node_modules` goes; made when it is missing.
 * @param {readonly string[]} packages Names with versions.
 * @param {{ step: string, remedy: string }} failure What a failure says.
 */
export async function npmInstall(folder, packages, failure) {
  mkdirSync(folder, { recursive: true });
  const [command, ...prefix] = npmCommand();
  await runStep({
    ...failure,
    command,
    args: [
      ...prefix,
      'install',
      '--prefix',
      folder,
      '--ignore-scripts',
      '--no-save',
      '--no-package-lock',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      ...packages,
    ],
    cwd: folder,
  });
}

/** How to start npm: under `npm run` the one that runs us, else the one on the PATH. */
export function npmCommand() {
  const running = process.env.npm_execpath;
  return running !== undefined && /npm-cli\.c?js$/.test(running) ? [process.execPath, running] : ['npm'];
}

function checkIntegrity(folder) {
  const lock = JSON.parse(readFileSync(join(folder, 'node_modules/.package-lock.json'), 'utf8'));
  for (const [location, { integrity }] of Object.entries(lock.packages)) {
    const name = location.replace(/^node_modules\//, '');
    const expected = pinned.integrity[name];
    if (expected !== undefined && integrity !== expected) {
      throw new StepError(
        step,
        `${name} has digest ${integrity ?? 'none'}, expected ${expected}`,
        'find out which registry or proxy npm uses (`npm config get registry`); it does not serve the published package',
      );
    }
  }
}

function checkRuns(node) {
  try {
    execFileSync(node, ['--version'], { stdio: 'pipe', timeout: 30_000 });
  } catch (error) {
    throw new StepError(
      step,
      `${node} does not run here (${error.message})`,
      `install Node.js ${pinned.node.split('.')[0]} or newer from your distribution and repeat the command`,
    );
  }
}

/** The package's own `pnpm` is a placeholder that only a shell can start; turbo and others start it directly. */
function writePnpmProgram(folder, node, pnpm) {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  const script = `#!/bin/sh\nexec "${node}" "${pnpm}" "$@"\n`;
  writeFileSync(join(folder, 'bin/pnpm'), script, { mode: 0o755 });
}

/** The environment with our directories first on the PATH, whatever the platform spells it. */
function withPath(env, folders) {
  const name = Object.keys(env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  return { ...env, [name]: [...folders, env[name] ?? ''].join(delimiter) };
}
