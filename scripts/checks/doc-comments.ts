/**
 * Every public symbol has a doc comment that begins with a full sentence.
 *
 * Public is what an entry point of a package exports. Of interfaces and classes
 * the methods and accessors count too, the optional properties of a type whose
 * name ends in `Options`, because their default cannot be guessed, and everywhere
 * the numbers and booleans whose name does not say their unit. A member documented
 * in the interface that a class implements is documented.
 */
import { join, relative } from 'node:path';
import ts from 'typescript-6';
import type { Check, Finding } from './check.ts';
import { readWorkspace } from './workspace.ts';

/** The check over the checkout. */
export const docComments: Check = {
  name: 'doc-comments',
  summary: 'every public symbol has a doc comment that begins with a sentence',
  async run(root) {
    const entries = readWorkspace(root)
      .filter(({ manifest }) => manifest.private !== true)
      .flatMap(({ folder, manifest }) =>
        Object.values(manifest.exports ?? {}).flatMap((target) => {
          const source = typeof target === 'string' ? undefined : target['@endorse/source'];
          return source === undefined ? [] : [join(root, folder, source)];
        }),
      );
    return undocumented(root, entries);
  },
};

/** Lists the public symbols of the given entry files without a proper doc comment. */
export function undocumented(root: string, entries: readonly string[]): Finding[] {
  const program = ts.createProgram(entries, {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    customConditions: ['@endorse/source'],
    allowImportingTsExtensions: true,
    strict: true,
    noEmit: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  });
  const checker = program.getTypeChecker();
  const findings = new Map<string, Finding>();
  const report = (symbol: ts.Symbol, name: string): void => {
    const problem = sentenceProblem(ts.displayPartsToString(symbol.getDocumentationComment(checker)));
    const declaration = symbol.declarations?.find((node) => isOurs(node));
    if (problem === undefined || declaration === undefined) return;
    const source = declaration.getSourceFile();
    const { line } = source.getLineAndCharacterOfPosition(declaration.getStart());
    const file = relative(root, source.fileName);
    findings.set(`${file}:${line}:${name}`, { file, line: line + 1, message: `${name} ${problem}` });
  };
  for (const entry of entries) {
    const source = program.getSourceFile(entry);
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
    const exports = module === undefined ? [] : checker.getExportsOfModule(module);
    if (exports.length === 0) {
      findings.set(entry, { file: relative(root, entry), message: 'is not a module that exports anything' });
    }
    for (const exported of exports) {
      const symbol =
        (exported.flags & ts.SymbolFlags.Alias) === 0 ? exported : checker.getAliasedSymbol(exported);
      report(symbol, exported.name);
      for (const member of publicMembers(symbol, checker)) report(member, `${exported.name}.${member.name}`);
    }
  }
  return [...findings.values()].toSorted(
    (a, b) => (a.file ?? '').localeCompare(b.file ?? '') || (a.line ?? 0) - (b.line ?? 0),
  );
}

/** What is wrong with the text of a doc comment; undefined when nothing is. */
export function sentenceProblem(text: string): string | undefined {
  if (text.trim() === '') return 'has no doc comment';
  const [paragraph = ''] = text.trim().split(/\n\s*\n/);
  return /\S\s+\S[^]*[.…?](\s|\)|$)/.test(paragraph)
    ? undefined
    : 'has a doc comment that does not begin with a full sentence';
}

function isOurs(node: ts.Node): boolean {
  return (
    /\/src\/[^]*\.ts$/.test(node.getSourceFile().fileName) &&
    !node.getSourceFile().fileName.includes('/node_modules/')
  );
}

function publicMembers(symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol[] {
  if ((symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface)) === 0) return [];
  const statics = (symbol.flags & ts.SymbolFlags.Class) === 0 ? [] : [...(symbol.exports?.values() ?? [])];
  return [...(symbol.members?.values() ?? []), ...statics].filter((member) => {
    const declaration = member.declarations?.find((node) => isOurs(node));
    return declaration !== undefined && needsComment(declaration, symbol, checker);
  });
}

/** Units, and what the TPM specification numbers. */
const namesItsUnit = /(Ms|Seconds|Bytes|Bits|At|Count|[hH]andle|Index|Code|Session)$/;

function needsComment(declaration: ts.Declaration, owner: ts.Symbol, checker: ts.TypeChecker): boolean {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  if ((ts.getCombinedModifierFlags(declaration) & hidden) !== 0) return false;
  const name = ts.getNameOfDeclaration(declaration);
  // `#private` names, and `[Symbol.asyncDispose]`, which means the same everywhere.
  if (name === undefined || ts.isPrivateIdentifier(name) || ts.isComputedPropertyName(name)) return false;
  if (ts.isMethodDeclaration(declaration) || ts.isMethodSignature(declaration) || ts.isAccessor(declaration))
    return true;
  if (!ts.isPropertySignature(declaration) && !ts.isPropertyDeclaration(declaration)) return false;
  if (owner.name.endsWith('Options') && declaration.questionToken !== undefined) return true;
  if (namesItsUnit.test(name.getText())) return false;
  const type = checker.getNonNullableType(checker.getTypeAtLocation(declaration));
  if (type.isLiteral() || (type.flags & ts.TypeFlags.BooleanLiteral) !== 0) return false;
  return (type.flags & (ts.TypeFlags.Number | ts.TypeFlags.Boolean)) !== 0;
}
