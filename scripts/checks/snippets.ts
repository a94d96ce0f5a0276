/** The `js` snippets of documents and doc comments. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryFiles } from './workspace.ts';

/** One snippet, and where it stands. */
export interface Snippet {
  readonly file: string;
  /** 1-based line of its first line. */
  readonly line: number;
  readonly code: string;
}

/** Snippets of every README and of `docs/`: they run. */
export function documentSnippets(root: string): Snippet[] {
  return repositoryFiles(root)
    .filter((file) => /^((packages\/[^/]+\/|harness\/)?README|docs\/.*)\.md$/.test(file))
    .flatMap((file) => snippetsOf(file, readFileSync(join(root, file), 'utf8')));
}

/** Snippets of doc comments in published sources: they compile. */
export function commentSnippets(root: string): Snippet[] {
  return repositoryFiles(root)
    .filter((file) => /^packages\/[^/]+\/src\/.*\.ts$/.test(file))
    .flatMap((file) => snippetsOfComments(file, readFileSync(join(root, file), 'utf8')));
}

/** The fenced `js` blocks of a Markdown text. */
export function snippetsOf(file: string, markdown: string, firstLine = 1): Snippet[] {
  return [...markdown.matchAll(/^[ \t]*```js\b[^\n]*\n([^]*?)^[ \t]*```/gm)].map((match) => ({
    file,
    line: firstLine + markdown.slice(0, match.index).split('\n').length,
    code: match[1] ?? '',
  }));
}

/** The fenced `js` blocks of the doc comments of a source file. */
export function snippetsOfComments(file: string, text: string): Snippet[] {
  return [...text.matchAll(/\/\*\*[^]*?\*\//g)].flatMap((comment) => {
    const markdown = comment[0].replace(/^[ \t]*(\/\*\*|\*\/|\*)[ ]?/gm, '');
    return snippetsOf(file, markdown, text.slice(0, comment.index).split('\n').length);
  });
}
