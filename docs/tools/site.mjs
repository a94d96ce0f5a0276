/**
 * The documentation site: the guides of `docs/` and the reference made of the doc comments, in `reports/site`.
 * Every warning is an error: a link that leads nowhere, a document that is not there.
 */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application, Converter } from 'typedoc';

const root = fileURLToPath(new URL('../..', import.meta.url));
const repository = 'https://github.com/endorse-iot/endorse/blob/main';

/** The guides, in the order a reader wants them; every document of `docs/` has to be here. */
const guides = [
  'getting-started.md',
  'choose-your-packages.md',
  'how-attestation-works.md',
  'provisioning-gateways.md',
  'recipe-real-tpm.md',
  'recipe-owned-tpms.md',
  'recipe-proxies-and-private-ca.md',
  'migrate-from-the-official-sdk.md',
  'test-in-ci.md',
  'errors.md',
  'benchmarks.md',
  'discovery-format.md',
];

const scratch = mkdtempSync(join(tmpdir(), 'endorse-site-'));
try {
  process.exitCode = (await build()) ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function build() {
  const missing = readdirSync(join(root, 'docs')).filter(
    (file) => file.endsWith('.md') && !guides.includes(file),
  );
  if (missing.length > 0) throw new Error(`not in the list of guides: ${missing.join(', ')}`);
  stage('README.md');
  for (const guide of guides) stage(`docs/${guide}`);
  cpSync(join(root, 'docs'), join(scratch, 'docs'), { recursive: true, filter: isPictureOrFolder });
  const entries = entryPoints();
  const application = await Application.bootstrap({
    name: 'Endorse',
    readme: join(scratch, 'README.md'),
    out: join(root, 'reports/site'),
    tsconfig: join(root, 'docs/tsconfig.json'),
    entryPoints: [...entries.keys()],
    projectDocuments: guides.map((guide) => join(scratch, 'docs', guide)),
    sortEntryPoints: false,
    disableSources: true,
    excludeInternal: true,
    excludePrivate: true,
    githubPages: false,
    hideGenerator: true,
    // The `types` check compiles everything with the compiler of the checkout.
    skipErrorChecking: true,
    validation: { notExported: false, notDocumented: false, invalidLink: true, rewrittenLink: true },
    logLevel: 'Warn',
  });
  application.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const module of project.children ?? []) {
      const name = [...entries].find(([file]) => moduleName(file) === module.name)?.[1];
      if (name !== undefined) module.name = name;
    }
  });
  const project = await application.convert();
  if (project === undefined) return false;
  application.validate(project);
  await application.generateOutputs(project);
  return !application.logger.hasErrors() && !application.logger.hasWarnings();
}

function isPictureOrFolder(path) {
  return /\.(svg|png)$/.test(path) || (!path.includes('node_modules') && statSync(path).isDirectory());
}

/** Sources of every public entry of every published package, and the name it is imported by. */
function entryPoints() {
  const folders = [...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`), 'harness'];
  const entries = new Map();
  for (const folder of folders) {
    const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    if (manifest.private === true) continue;
    for (const [key, target] of Object.entries(manifest.exports)) {
      if (typeof target === 'object') {
        entries.set(posix.join(root, folder, target['@endorse/source']), manifest.name + key.slice(1));
      }
    }
  }
  return entries;
}

/** What typedoc calls a module: its path from the root, without `index`. */
function moduleName(file) {
  return file
    .slice(root.length)
    .replace(/\.ts$/, '')
    .replace(/\/index$/, '');
}

/** Copies a document; what it links to outside of the guides is read in the repository. */
function stage(file) {
  const folder = posix.dirname(file);
  const text = readFileSync(join(root, file), 'utf8').replace(
    /\]\((?![a-z]+:|#)([^)]+)\)/g,
    (link, target) => {
      const [path = '', anchor] = target.split('#');
      const resolved = posix.normalize(posix.join(folder, path));
      const isGuide = resolved.startsWith('docs/') && guides.includes(resolved.slice('docs/'.length));
      if (isGuide || /\.(svg|png)$/.test(resolved)) return link;
      return `](${repository}/${resolved}${anchor === undefined ? '' : `#${anchor}`})`;
    },
  );
  const title = /^# (.*)$/m.exec(text)?.[1] ?? file;
  const target = join(scratch, file);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, file === 'README.md' ? text : `---\ntitle: ${JSON.stringify(title)}\n---\n\n${text}`);
}
