import { malformed } from '../json/malformed.ts';
import { maxTargetLength } from '../limits.ts';

/** A request target, split and decoded. */
export interface TargetParts {
  /** Decoded path segments; a trailing slash leaves no empty one. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/**
 * Splits a request target (`/path?query`) into decoded segments and the query.
 * Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE`.
 */
export function splitTarget(target: string): TargetParts {
  if (target.length > maxTargetLength) {
    const problem = `has ${target.length} characters, more than ${maxTargetLength}`;
    throw malformed('request target', 'path', problem, { code: 'ERR_REMOTE_TOO_LARGE' });
  }
  if (!target.startsWith('/')) throw malformed('request target', 'path', 'must begin with /');
  const questionMark = target.indexOf('?');
  const path = questionMark < 0 ? target : target.slice(0, questionMark);
  // The official Node service client sends /enrollments/?api-version=…
  const raw = path.slice(1).replace(/\/$/, '');
  return {
    segments: raw === '' ? [] : raw.split('/').map(decodeSegment),
    query: new URLSearchParams(questionMark < 0 ? '' : target.slice(questionMark + 1)),
  };
}

/** Compares a path segment with a word of the API; the service ignores case there. */
export function isWord(segment: string | undefined, word: string): boolean {
  return segment?.toLowerCase() === word.toLowerCase();
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw malformed('request target', 'path', 'is not valid percent-encoding', { sample: segment });
  }
}
