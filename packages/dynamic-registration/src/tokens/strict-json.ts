/** What {@link parseStrictJson} found. */
export type StrictJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: 'malformed' | 'too-deep' | 'duplicate-member' };

interface Frame {
  /** Names seen so far; undefined in an array. */
  readonly names: Set<string> | undefined;
  expectsName: boolean;
}

/**
 * Parses JSON text that an attacker may have written: no more than `maxDepth` levels, and no member name twice.
 *
 * `JSON.parse` takes the last of two members with one name, other parsers the first; a token must not mean two
 * things. The text's size is the caller's to bound, first.
 */
export function parseStrictJson(text: string, maxDepth: number): StrictJson {
  const problem = scan(text, maxDepth);
  if (problem !== undefined) return { ok: false, problem };
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch {
    return { ok: false, problem: 'malformed' };
  }
}

const structure = /"[^"\\]*(?:\\[^][^"\\]*)*"|[{}[\]:,]/g;

function scan(text: string, maxDepth: number): 'malformed' | 'too-deep' | 'duplicate-member' | undefined {
  const stack: Frame[] = [];
  for (const [token] of text.matchAll(structure)) {
    const top = stack.at(-1);
    if (token === '{' || token === '[') {
      if (stack.length >= maxDepth) return 'too-deep';
      stack.push({ names: token === '{' ? new Set() : undefined, expectsName: token === '{' });
    } else if (token === '}' || token === ']') {
      stack.pop();
    } else if (top?.names === undefined) {
      continue;
    } else if (token === ',') {
      top.expectsName = true;
    } else if (token === ':') {
      top.expectsName = false;
    } else if (top.expectsName) {
      const name = unescape(token);
      if (name === undefined) return 'malformed';
      // `a` and `\u0061` are one name.
      if (top.names.has(name)) return 'duplicate-member';
      top.names.add(name);
    }
  }
  return undefined;
}

function unescape(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}
