/**
 * The reference of error codes, for `docs/errors.md`: of every public error class the codes, whose fault they are and
 * whether trying again can help come from its types, what each means from the table in the README of its package.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript-6';
import { decodeResponseCode, listResponseCodes } from '../../packages/tpm2/src/index.ts';
import { readWorkspace, scope } from './workspace.ts';

/** One code of one class. */
export interface ErrorCodeEntry {
  readonly code: string;
  readonly className: string;
  /** Without the scope. */
  readonly packageName: string;
  /** Members of the class's `fault`, joined; empty where it has none. */
  readonly fault: string;
  /** `yes`, `no`, or `depends`. */
  readonly retryable: string;
  readonly meaning: string;
}

/** What a TPM answers is a table of its own. */
const responseCodeClass = 'TpmError';
const allFaults = 7;

/** Every code of ours as a Markdown table, sorted. */
export async function renderErrorReference(root: string): Promise<string> {
  const rows = collectErrorCodes(root)
    .filter(({ className }) => className !== responseCodeClass)
    .map(
      ({ code, packageName, className, fault, retryable, meaning }) =>
        `| \`${code}\` | \`${packageName}\` | \`${className}\` | ${fault} | ${retryable} | ${meaning} |`,
    );
  const head = [
    '| Code | Package | Class | Fault | Again? | When |',
    '| --- | --- | --- | --- | --- | --- |',
  ];
  return [...head, ...rows].join('\n');
}

/** The response codes of a TPM as a Markdown table, in the order of their numbers. */
export async function renderResponseCodes(): Promise<string> {
  const rows = listResponseCodes()
    .map(({ rc }) => decodeResponseCode(rc))
    .filter(({ name }) => name !== 'SUCCESS')
    .map(
      ({ name, rc, meaning, retry }) =>
        `| \`ERR_TPM_${name}\` | 0x${rc.toString(16).padStart(3, '0')} | ${meaning} | ${retry === 'none' ? '' : retry} |`,
    );
  return ['| Code | Response code | Means | Again? |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** Reads the codes of every exported class that has a `code` of literals. */
export function collectErrorCodes(root: string): ErrorCodeEntry[] {
  const packages = readWorkspace(root).filter(({ manifest }) => manifest.private !== true);
  const entriesOf = ({ folder, manifest }: (typeof packages)[number]): string[] =>
    Object.values(manifest.exports ?? {}).flatMap((target) =>
      typeof target === 'string' ? [] : [join(root, folder, target['@endorse/source'] ?? '')],
    );
  const program = ts.createProgram(packages.flatMap(entriesOf), {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    customConditions: ['@endorse/source'],
    allowImportingTsExtensions: true,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  });
  const checker = program.getTypeChecker();
  const found = new Map<string, ErrorCodeEntry>();
  for (const workspacePackage of packages) {
    const packageName = workspacePackage.manifest.name.slice(scope.length);
    const meanings = readMeanings(readFileSync(join(root, workspacePackage.folder, 'README.md'), 'utf8'));
    for (const entry of entriesOf(workspacePackage)) {
      const source = program.getSourceFile(entry);
      const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
      for (const exported of module === undefined ? [] : checker.getExportsOfModule(module)) {
        const symbol =
          (exported.flags & ts.SymbolFlags.Alias) === 0 ? exported : checker.getAliasedSymbol(exported);
        const declaration = symbol.declarations?.find((node) => ts.isClassDeclaration(node));
        // A class that one package only hands on is listed where it is made.
        if (!declaration?.getSourceFile().fileName.startsWith(join(root, workspacePackage.folder, 'src/'))) {
          continue;
        }
        for (const row of codesOf(checker, symbol)) {
          const meaning = meanings.get(row.code) ?? firstSentence(checker, symbol);
          found.set(`${row.code} ${packageName}`, { ...row, className: symbol.name, packageName, meaning });
        }
      }
    }
  }
  return [...found.values()].toSorted(
    (one, other) => one.code.localeCompare(other.code) || one.packageName.localeCompare(other.packageName),
  );
}

function codesOf(
  checker: ts.TypeChecker,
  symbol: ts.Symbol,
): Pick<ErrorCodeEntry, 'code' | 'fault' | 'retryable'>[] {
  const type = checker.getDeclaredTypeOfSymbol(symbol);
  const literals = (name: string): string[] => {
    const property = type.getProperty(name);
    if (property === undefined) return [];
    const propertyType = checker.getTypeOfSymbol(property);
    const members = propertyType.isUnion() ? propertyType.types : [propertyType];
    return members.flatMap((member) =>
      member.isStringLiteral() ? [member.value] : [checker.typeToString(member)],
    );
  };
  const faults = literals('fault').filter((word) => word !== 'string');
  const fault = faults.length === allFaults ? 'varies' : faults.join(', ');
  const again = literals('retryable');
  const retryable = again.length === 1 ? (again[0] === 'true' ? 'yes' : 'no') : 'depends';
  return literals('code')
    .filter((code) => /^ERR_[A-Z0-9_]+$/.test(code))
    .map((code) => ({ code, fault, retryable: again.length === 0 ? 'no' : retryable }));
}

/** Codes and what is said of them in tables whose first column names codes. */
export function readMeanings(readme: string): Map<string, string> {
  const meanings = new Map<string, string>();
  for (const [, codes = '', meaning = ''] of readme.matchAll(/^\|([^|]*`ERR_[^|]*)\|((?:[^|]|\\\|)*)\|/gm)) {
    for (const [, code = ''] of codes.matchAll(/`(ERR_[A-Z0-9_]+)`/g)) meanings.set(code, meaning.trim());
  }
  return meanings;
}

function firstSentence(checker: ts.TypeChecker, symbol: ts.Symbol): string {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker)).replace(/\s+/g, ' ');
  return (/^.*?[.!](?=\s|$)/.exec(text)?.[0] ?? text).replaceAll('|', '\\|');
}
