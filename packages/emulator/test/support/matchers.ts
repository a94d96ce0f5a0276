import { expect } from 'vitest';

// The matchers of vitest are typed `any`; as `unknown` they fit into an expected object just as well.

/** Any string. */
export const anyString: unknown = expect.any(String);

/** Any number. */
export const anyNumber: unknown = expect.any(Number);

/** A string that matches. */
export function matching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern);
}

/** A string that contains. */
export function containing(text: string): unknown {
  return expect.stringContaining(text);
}
