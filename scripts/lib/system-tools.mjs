/**
 * Step 3: programs of the operating system.
 *
 * A tool is a row of the table; a command names the tools it needs. On Debian
 * and Ubuntu they are installed when we may (root, or sudo without a password),
 * elsewhere the failure says what to type.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runStep } from './child.mjs';
import { StepError, announce } from './step.mjs';

/**
 * `programs` must all be found; the packages are named as each distribution names them.
 *
 * @type {Readonly<Record<string, { programs: string[], apt: string[], dnf: string[], brew: string[] }>>}
 */
export const systemTools = Object.freeze({
  swtpm: { programs: ['swtpm'], apt: ['swtpm'], dnf: ['swtpm'], brew: ['swtpm'] },
  'swtpm-tools': {
    programs: ['swtpm_setup', 'swtpm_ioctl'],
    apt: ['swtpm-tools'],
    dnf: ['swtpm-tools'],
    brew: ['swtpm'],
  },
  'tpm2-tools': {
    programs: ['tpm2_createprimary', 'tpm2_makecredential'],
    apt: ['tpm2-tools'],
    dnf: ['tpm2-tools'],
    brew: ['tpm2-tools'],
  },
  docker: { programs: ['docker', 'dockerd'], apt: ['docker.io'], dnf: ['moby-engine'], brew: ['docker'] },
  'docker-compose': {
    programs: ['docker-compose'],
    apt: ['docker-compose'],
    dnf: ['docker-compose'],
    brew: ['docker-compose'],
  },
  debootstrap: {
    programs: ['debootstrap'],
    apt: ['debootstrap'],
    dnf: ['debootstrap'],
    brew: ['debootstrap'],
  },
  chromium: { programs: ['chromium'], apt: ['chromium'], dnf: ['chromium'], brew: ['chromium'] },
  iproute2: { programs: ['ip'], apt: ['iproute2'], dnf: ['iproute'], brew: ['iproute2mac'] },
  postgresql: {
    programs: ['initdb', 'postgres', 'pgbench'],
    apt: ['postgresql'],
    dnf: ['postgresql-server', 'postgresql-contrib'],
    brew: ['postgresql@17'],
  },
  mosquitto: {
    programs: ['mosquitto', 'mosquitto_ctrl'],
    apt: ['mosquitto'],
    dnf: ['mosquitto'],
    brew: ['mosquitto'],
  },
  curl: { programs: ['curl'], apt: ['curl'], dnf: ['curl'], brew: ['curl'] },
  openssl: { programs: ['openssl'], apt: ['openssl'], dnf: ['openssl'], brew: ['openssl@3'] },
});

/** Daemons live here, and a plain user's PATH may not name these. */
const extraFolders = [
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
  '/opt/homebrew/bin',
  '/usr/local/bin',
  ...postgresqlFolders(),
];

/**
 * The rows among `names` whose programs are not all there.
 *
 * @param {readonly string[]} names
 * @param {string} [path] Folders to look in, as in the environment.
 * @param {readonly string[]} [extra] Further folders.
 * @returns {string[]}
 */
export function missingTools(names, path = process.env.PATH ?? '', extra = extraFolders) {
  const folders = [...path.split(delimiter), ...extra].filter((folder) => folder !== '');
  return names.filter((name) => {
    const tool = systemTools[name];
    if (tool === undefined) throw new Error(`no row for the system tool ${name}`);
    return !tool.programs.every((program) => folders.some((folder) => isExecutable(join(folder, program))));
  });
}

/** Installs what is missing, or throws a {@link StepError} that says how to. */
export async function provideTools(names, root) {
  const missing = missingTools(names);
  if (missing.length === 0) return;
  const apt = aptCommand();
  if (apt === undefined) throw missingError(missing, 'not installed');
  announce(`installing ${missing.join(', ')} from the distribution`);
  const step = `install ${missing.join(', ')}`;
  const remedy = instructions(missing);
  const [command, ...prefix] = apt;
  // dpkg is often busy for a while after boot.
  const wait = ['-o', 'DPkg::Lock::Timeout=180'];
  const packages = [...new Set(missing.flatMap((name) => systemTools[name].apt))];
  const run = (...args) => runStep({ step, remedy, command, args: [...prefix, ...args], cwd: root });
  await run(...wait, 'update');
  await run(...wait, 'install', '--yes', '--no-install-recommends', ...packages);
  const still = missingTools(missing);
  if (still.length > 0) throw missingError(still, 'still not there after the package was installed');
}

/**
 * What to type, for each distribution.
 *
 * @param {readonly string[]} names
 * @returns {string}
 */
export function instructions(names) {
  const list = (key) => [...new Set(names.flatMap((name) => systemTools[name][key]))].join(' ');
  return [
    `Debian/Ubuntu: sudo apt-get install ${list('apt')}`,
    `Fedora: sudo dnf install ${list('dnf')}`,
    `macOS: brew install ${list('brew')}`,
  ].join('; ');
}

function missingError(names, problem) {
  return new StepError('provide system tools', `${problem}: ${names.join(', ')}`, instructions(names));
}

/** apt-get with the rights it needs, or undefined when there is none. */
function aptCommand() {
  if (!isExecutable('/usr/bin/apt-get')) return undefined;
  const apt = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  if (process.getuid?.() === 0) return apt;
  const sudo = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore', timeout: 10_000 });
  return sudo.status === 0 ? ['sudo', '-n', ...apt] : undefined;
}

/** Debian keeps the programs of a PostgreSQL server by version, outside of PATH. */
function postgresqlFolders() {
  const folder = '/usr/lib/postgresql';
  return existsSync(folder) ? readdirSync(folder).map((version) => join(folder, version, 'bin')) : [];
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
