import { RemoteProtocolError } from '@endorse/interface';
import { validateApiVersion } from '../identifiers/api-version.ts';
import { malformed } from '../json/malformed.ts';
import { maxTargetLength } from '../limits.ts';
import { defaultDrsApiVersion } from './drs-target.ts';

/**
 * The request target of a progress URL: path and query, with `api-version` exactly once, the one it has or else ours.
 *
 * The URL came from the peer and decides where the next request goes, so it is followed only to where the peer is
 * already: throws `ERR_REMOTE_REDIRECT` for another scheme (a downgrade to http, too), host or port and for user
 * information, `ERR_REMOTE_MALFORMED` for what is no URL, `ERR_REMOTE_TOO_LARGE` for a target above 4096 characters.
 */
export function resolveDrsProgressTarget(
  progressUrl: string,
  options: {
    /** Where the peer is: `https://host[:port]`. */
    readonly origin: string;
    /** Default {@link defaultDrsApiVersion}. */
    readonly apiVersion?: string | undefined;
  },
): string {
  const apiVersion = validateApiVersion(options.apiVersion ?? defaultDrsApiVersion);
  // URL parsers drop tabs and turn backslashes round, so that what is checked is not what was read.
  if (!/^[\x21-\x5b\x5d-\x7e]+$/.test(progressUrl)) throw unusable('has characters that no URL has');
  let url: URL;
  try {
    url = new URL(progressUrl, options.origin);
  } catch (cause) {
    throw unusable('is no URL', cause);
  }
  if (url.origin !== new URL(options.origin).origin || url.username !== '' || url.password !== '') {
    throw new RemoteProtocolError('ERR_REMOTE_REDIRECT', 'the progress URL leads away from the service', {
      evidence: { path: '$.progressUrl', sample: url.origin.slice(0, 120) },
      remedy: 'Check that the host is the provisioning service and not something in between.',
    });
  }
  const separator = url.search.length > 1 ? '&' : '?';
  const query = url.searchParams.has('api-version')
    ? url.search
    : `${url.search.length > 1 ? url.search : ''}${separator}api-version=${apiVersion}`;
  const target = `${url.pathname}${query}`;
  if (target.length <= maxTargetLength) return target;
  const problem = `makes a target of more than ${maxTargetLength} characters`;
  throw malformed('progress URL', '$.progressUrl', problem, { code: 'ERR_REMOTE_TOO_LARGE' });
}

function unusable(problem: string, cause?: unknown): RemoteProtocolError {
  return malformed('progress URL', '$.progressUrl', problem, { cause });
}
