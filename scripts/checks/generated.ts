/**
 * The generated parts of documents, between `<!-- begin: name -->` and
 * `<!-- end: name -->`: rendered by `npm run format`, compared by a check.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Check, Finding } from './check.ts';
import { renderDependencyTable } from './dependency-table.ts';
import { renderErrorReference, renderResponseCodes } from './error-reference.ts';
import { runTool } from './tool.ts';
import { readWorkspace } from './workspace.ts';

/** A part of a document that is rendered from something else. */
export interface GeneratedSection {
  readonly file: string;
  /** What stands in the markers. */
  readonly name: string;
  render(root: string): Promise<string>;
}

/** All of them. The benchmark table of the README is not here: `npm run bench` writes it, figures do not go stale. */
export const generatedSections: readonly GeneratedSection[] = [
  { file: 'ARCHITECTURE.md', name: 'dependency-table', render: renderTableOfWorkspace },
  {
    file: 'ARCHITECTURE.md',
    name: 'registration-machine',
    render: renderBy('packages/registration-core/scripts/render-machine.ts'),
  },
  {
    file: 'ARCHITECTURE.md',
    name: 'provisioning-client-machine',
    render: renderBy('packages/provisioning-client/scripts/render-machine.ts'),
  },
  { file: 'README.md', name: 'carriers', render: renderBy('harness/support/render-carriers.ts') },
  {
    file: 'docs/migrate-from-the-official-sdk.md',
    name: 'official-defects',
    render: renderBy('harness/support/render-official-defects.ts'),
  },
  { file: 'docs/errors.md', name: 'error-codes', render: renderErrorReference },
  { file: 'docs/errors.md', name: 'response-codes', render: renderResponseCodes },
];

/** The check over the checkout. */
export const generated: Check = {
  name: 'generated',
  summary: 'the generated parts of documents are up to date',
  async run(root) {
    const findings: Finding[] = [];
    for (const section of generatedSections) {
      const document = readFileSync(join(root, section.file), 'utf8');
      const problem = sectionProblem(document, section.name, await section.render(root));
      if (problem !== undefined) findings.push({ file: section.file, message: problem });
    }
    return findings;
  },
};

/** Writes every generated section that is stale. */
export async function renderSections(root: string): Promise<void> {
  for (const { file, name, render } of generatedSections) {
    const path = join(root, file);
    const document = readFileSync(path, 'utf8');
    const contents = await render(root);
    if (sectionProblem(document, name, contents) !== undefined) {
      writeFileSync(path, replaceSection(document, name, contents));
    }
  }
}

/** Says how a document's section differs from what it should hold; undefined when it does not. */
export function sectionProblem(document: string, name: string, contents: string): string | undefined {
  const found = sectionPattern(name).exec(document)?.groups?.['contents'];
  if (found === undefined) return `has no section between the markers of ${name}`;
  return withoutLayout(found) === withoutLayout(contents)
    ? undefined
    : `the section ${name} is stale; run \`npm run format\``;
}

/** The document with the section's contents replaced; throws when it has no such section. */
export function replaceSection(document: string, name: string, contents: string): string {
  const pattern = sectionPattern(name);
  if (!pattern.test(document)) throw new Error(`no section ${name}`);
  return document.replace(
    pattern,
    () => `<!-- begin: ${name} -->\n\n${contents.trim()}\n\n<!-- end: ${name} -->`,
  );
}

function sectionPattern(name: string): RegExp {
  return new RegExp(`<!-- begin: ${name} -->(?<contents>[^]*?)<!-- end: ${name} -->`);
}

/** The formatter pads table cells; that is no difference. */
function withoutLayout(markdown: string): string {
  return markdown.replace(/-{3,}/g, '---').replace(/\s+/g, ' ').trim();
}

async function renderTableOfWorkspace(root: string): Promise<string> {
  return renderDependencyTable(readWorkspace(root).map(({ name }) => name));
}

/** What has a table renders it, so that this script need not know its shape. */
function renderBy(script: string): GeneratedSection['render'] {
  return async (root) => {
    const { exitCode, output } = await runTool(process.execPath, ['--conditions=@endorse/source', script], {
      cwd: root,
      timeoutMs: 30_000,
    });
    if (exitCode !== 0) throw new Error(`${script} exited with ${exitCode}:\n${output}`);
    return output;
  };
}
