/**
 * Keeps tiers 0 and 1 pure: time, randomness, sockets, files and the process
 * arrive through ports. Only a package's edge files may reach for the system.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript-6';
import type { Check, Finding } from './check.ts';
import { dependencyTable } from './dependency-table.ts';
import { readImports } from './imports.ts';
import { readWorkspace } from './workspace.ts';

/** Modules of Node.js that only compute. */
const pureModules = new Set(['node:crypto', 'node:buffer', 'node:util']);

/** What `node:crypto` offers that is not a function of its arguments. */
const randomNames = new Set([
  'randomBytes',
  'randomFill',
  'randomFillSync',
  'randomInt',
  'randomUUID',
  'randomUUIDv7',
  'generateKey',
  'generateKeySync',
  'generateKeyPair',
  'generateKeyPairSync',
  'generatePrime',
  'generatePrimeSync',
  'getRandomValues',
  'webcrypto',
]);

const impureGlobals = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'fetch',
  'WebSocket',
  'EventSource',
  'XMLHttpRequest',
  'performance',
  'process',
  'crypto',
  'navigator',
  'localStorage',
  'console',
  'globalThis',
  'require',
]);

const impureMembers = new Set(['Date.now', 'Math.random', 'AbortSignal.timeout', 'Temporal.Now']);

/** The check over the checkout. */
export const purity: Check = {
  name: 'purity',
  summary: 'tiers 0 and 1 reach time, randomness and the system only through ports',
  async run(root) {
    return readWorkspace(root).flatMap(({ name, folder, files }) => {
      const rule = dependencyTable[name];
      if (rule?.tier !== '0' && rule?.tier !== '1') return [];
      const isEdge = (file: string): boolean => (rule.edgeFiles ?? []).some((edge) => file.startsWith(edge));
      return files
        .filter((file) => file.startsWith('src/') && file.endsWith('.ts') && !isEdge(file))
        .flatMap((file) => impurities(`${folder}/${file}`, readFileSync(join(root, folder, file), 'utf8')));
    });
  },
};

/** Lists what makes a source file impure. */
export function impurities(fileName: string, text: string): Finding[] {
  const file = ts.createSourceFile(fileName, text, ts.ScriptTarget.ESNext, true);
  const declared = declaredNames(file);
  const findings: Finding[] = [];
  const report = (node: ts.Node, message: string): void => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart());
    findings.push({ file: fileName, line: line + 1, message });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportSpecifier(node) && randomNames.has((node.propertyName ?? node.name).text)) {
      report(node, `${node.getText()} is random; take a RandomSource`);
    } else if (ts.isPropertyAccessExpression(node) && impureMembers.has(node.getText())) {
      report(node, `${node.getText()} reaches the system; take a port`);
    } else if (isCurrentDate(node)) {
      report(node, 'reads the system clock; take a Clock');
    } else if (ts.isIdentifier(node) && isGlobalUse(node, declared)) {
      report(node, `${node.text} reaches the system; take a port`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  for (const { specifier, line } of readImports(fileName, text)) {
    const impureModule = /^(node:|[a-z_]+$)/.test(specifier) && !pureModules.has(specifier);
    if (impureModule || specifier === '@endorse/interface/node') {
      findings.push({ file: fileName, line, message: `${specifier} is not pure; import it in an edge file` });
    }
  }
  return findings;
}

/** `new Date()`, `Date()`, and `new Date` without a time of its own. */
function isCurrentDate(node: ts.Node): boolean {
  if (!ts.isNewExpression(node) && !ts.isCallExpression(node)) return false;
  if (!ts.isIdentifier(node.expression) || node.expression.text !== 'Date') return false;
  return ts.isCallExpression(node) || (node.arguments?.length ?? 0) === 0;
}

function isGlobalUse(node: ts.Identifier, declared: ReadonlySet<string>): boolean {
  if (!impureGlobals.has(node.text) || declared.has(node.text)) return false;
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isTypeNode(parent) || ts.isQualifiedName(parent)) return false;
  return !(
    (ts.isPropertyAssignment(parent) && parent.name === node) ||
    ts.isPropertySignature(parent) ||
    ts.isPropertyDeclaration(parent) ||
    ts.isMethodDeclaration(parent) ||
    ts.isMethodSignature(parent) ||
    ts.isImportSpecifier(parent)
  );
}

/** Names the file declares itself; a parameter called `process` is not the global. */
function declaredNames(file: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    const named =
      ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isBindingElement(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isImportSpecifier(node);
    if (named && node.name !== undefined && ts.isIdentifier(node.name)) names.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return names;
}
