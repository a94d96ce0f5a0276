import { X509Certificate } from 'node:crypto';
import type { Secret } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import type { ProxyRule } from './proxy-settings.ts';
import { fixedProxy, noProxy, proxyFromEnvironment } from './proxy-settings.ts';

/** What every transport takes to reach the service. */
export interface ConnectionOptions {
  /**
   * PEM certificates to trust instead of the ones Node.js trusts. Default: those of Node.js,
   * `NODE_EXTRA_CA_CERTS` included. `NODE_TLS_REJECT_UNAUTHORIZED` has no effect on the transports.
   */
  readonly ca?: string | readonly string[] | undefined;
  /**
   * `http://` or `https://` address of a proxy to tunnel through with CONNECT, credentials included
   * (`http://user:password@proxy.example:3128`). Never printed: only its host and port are.
   */
  readonly proxyUrl?: string | Secret | undefined;
  /** PEM certificates that an `https://` proxy is trusted by; default: the same as `ca`. */
  readonly proxyCa?: string | readonly string[] | undefined;
  /**
   * Takes the proxy from `https_proxy` or `HTTPS_PROXY`, except for hosts in `no_proxy` or `NO_PROXY`, as they are
   * when the transport is created. Default false: what runs as a service should not depend on who started it.
   */
  readonly proxyFromEnvironment?: boolean | undefined;
}

/** The options, checked and completed. */
export interface ConnectionSettings {
  /** PEM, one certificate an entry; undefined for what Node.js trusts. */
  readonly ca: readonly string[] | undefined;
  readonly proxyCa: readonly string[] | undefined;
  readonly proxyFor: ProxyRule;
}

/** Names of the options, for transports that refuse a misspelt one. */
export const connectionOptionNames: readonly (keyof ConnectionOptions)[] = Object.freeze([
  'ca',
  'proxyUrl',
  'proxyCa',
  'proxyFromEnvironment',
]);

/** Checks and completes the options. Throws `ERR_INVALID_ARGUMENT` with the name of the option, `options.` in front. */
export function checkConnectionOptions(options: ConnectionOptions): ConnectionSettings {
  const ca = certificates('options.ca', options.ca);
  return {
    ca,
    proxyCa: certificates('options.proxyCa', options.proxyCa) ?? ca,
    proxyFor: proxyRule(options),
  };
}

function proxyRule(options: ConnectionOptions): ProxyRule {
  const fromEnvironment = options.proxyFromEnvironment ?? false;
  if (typeof fromEnvironment !== 'boolean') {
    throw new InvalidArgumentError('options.proxyFromEnvironment', 'must be a boolean');
  }
  if (options.proxyUrl === undefined) return fromEnvironment ? proxyFromEnvironment(process.env) : noProxy;
  if (fromEnvironment) {
    throw new InvalidArgumentError('options.proxyFromEnvironment', 'cannot be combined with proxyUrl');
  }
  return fixedProxy('options.proxyUrl', options.proxyUrl);
}

/** Checks that every block of the given PEM text is a certificate, before a handshake can fail on it. */
function certificates(
  argument: string,
  value: string | readonly string[] | undefined,
): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  const blocks = texts.flatMap((text) => (typeof text === 'string' ? (text.match(pemBlock) ?? []) : []));
  if (texts.length === 0 || blocks.length < texts.length) {
    throw new InvalidArgumentError(argument, 'must hold PEM certificates');
  }
  for (const block of blocks) {
    try {
      void new X509Certificate(block);
    } catch {
      throw new InvalidArgumentError(argument, 'holds a PEM block that is not a certificate');
    }
  }
  return Object.freeze(blocks);
}

const pemBlock =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;
