/**
 * Compiles every `js` snippet of documents and doc comments against the sources:
 * a renamed export or a wrong option is an error. A test runs those of the
 * documents; those of doc comments may talk to a real service and only compile.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Check, Finding } from './check.ts';
import { type Snippet, commentSnippets, documentSnippets } from './snippets.ts';
import { runTool } from './tool.ts';
import { typeFindings } from './types.ts';

/** The check over the checkout. */
export const examples: Check = {
  name: 'examples',
  summary: 'every snippet in a document or doc comment compiles',
  async run(root) {
    return exampleFindings(root, [...documentSnippets(root), ...commentSnippets(root)]);
  },
};

/** Compiles snippets and reports errors at the place where they stand. */
export async function exampleFindings(root: string, snippets: readonly Snippet[]): Promise<Finding[]> {
  // The harness depends on every package, so everything resolves from there.
  const folder = join(root, `harness/.cache/examples-${process.pid}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    const names = snippets.map((_, index) => `snippet-${index}.mjs`);
    snippets.forEach(({ code }, index) =>
      writeFileSync(join(folder, names[index] ?? ''), `${code}\nexport {};\n`),
    );
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(compilerConfiguration));
    const { exitCode, output } = await runTool(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder, '--pretty', 'false'],
      { cwd: folder },
    );
    return typeFindings(exitCode, output)
      .filter(({ file, message }) => (file === undefined || names.includes(file)) && !harmless.test(message))
      .map((finding) => place(finding, snippets, names));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * What is no mistake in plain JavaScript: it widens `'tpm'` to string, so
 * assignability of literals cannot be told; it may read a property that only
 * some members of a union have; and it may import a file of the reader's.
 */
const harmless = /^TS(2322|2345):|^TS2339: .* on type '[^'\n]* \| |^TS2307: .*'\.\.?\//;

const compilerConfiguration = {
  extends: '../../../tsconfig.base.json',
  compilerOptions: {
    noEmit: true,
    allowJs: true,
    checkJs: true,
    strict: false,
    exactOptionalPropertyTypes: false,
    noUncheckedIndexedAccess: false,
    noImplicitReturns: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
    noPropertyAccessFromIndexSignature: false,
    isolatedDeclarations: false,
    declaration: false,
    declarationMap: false,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    customConditions: ['@endorse/source'],
    typeRoots: ['../../../node_modules/@types'],
  },
  include: ['*.mjs'],
};

function place(finding: Finding, snippets: readonly Snippet[], names: readonly string[]): Finding {
  const snippet = snippets[names.indexOf(finding.file ?? '')];
  if (snippet === undefined) return finding;
  return {
    file: snippet.file,
    line: snippet.line + (finding.line ?? 1) - 1,
    message: `the example does not compile: ${finding.message}`,
  };
}
