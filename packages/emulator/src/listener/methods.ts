import type { ProtocolEvidence } from '@endorse/interface';
import { isEndorseError } from '@endorse/interface';

/** What a target parser says when only the method is wrong; undefined for any other error. */
export function findMethodProblem(error: unknown): string | undefined {
  if (!(error instanceof Error) || !isEndorseError(error) || error.code !== 'ERR_REMOTE_UNEXPECTED')
    return undefined;
  const { evidence } = error as { readonly evidence?: ProtocolEvidence };
  return evidence?.path === 'method' ? error.message : undefined;
}

/** The methods that a target parser takes for a path, for the `allow` header of a 405 (RFC 9110 section 15.5.6). */
export function findAllowedMethods(
  parse: (method: string, target: string) => unknown,
  target: string,
): readonly string[] {
  return ['GET', 'PUT', 'POST', 'DELETE'].filter((method) => {
    try {
      return parse(method, target) !== undefined;
    } catch (error) {
      return findMethodProblem(error) === undefined;
    }
  });
}
