/**
 * The documentation site: the guides of `docs/` and the reference made of the doc comments, in `reports/site`.
 * Every warning is an error: a link that leads nowhere, a symbol that is public without being exported.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application } from 'typedoc';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Sources of every public entry of every published package. */
function entryPoints() {
  return ['harness', ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`)].flatMap(
    (folder) => {
      const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
      if (manifest.private === true) return [];
      return Object.values(manifest.exports)
        .filter((target) => typeof target === 'object')
        .map((target) => join(root, folder, target['@endorse/source']));
    },
  );
}

const application = await Application.bootstrap({
  name: 'Endorse',
  readme: join(root, 'README.md'),
  out: join(root, 'reports/site'),
  tsconfig: join(root, 'docs/tsconfig.json'),
  entryPoints: entryPoints(),
  projectDocuments: [join(root, 'docs/*.md')],
  basePath: root,
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  githubPages: false,
  hideGenerator: true,
  skipErrorChecking: true,
  validation: {
    notExported: false,
    invalidLink: true,
    rewrittenLink: true,
    notDocumented: false,
    unusedMergeModuleWith: true,
  },
  treatWarningsAsErrors: true,
});
const project = await application.convert();
if (project === undefined) process.exitCode = 1;
else {
  application.validate(project);
  await application.generateOutputs(project);
  if (application.logger.hasErrors() || application.logger.hasWarnings()) process.exitCode = 1;
}
