import { readFileSync } from 'node:fs';

let page: string | undefined;

/** The admin page: one file beside this one, also in the built package. */
export function readPage(): string {
  return (page ??= readFileSync(new URL('page.html', import.meta.url), 'utf8'));
}

/** It holds all its parts, talks to where it came from, and sits in nobody's frame. */
export const pageHeaders: Readonly<Record<string, string>> = Object.freeze({
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
});
