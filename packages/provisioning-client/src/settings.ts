/** The options that are set by name after the client was made. */
import { InvalidArgumentError, Secret } from '@endorse/interface';
import type { JsonValue } from '@endorse/interface';
import { findRegistrationIdProblem, formatHostPort, parseHostPort } from '@endorse/protocol';

/** An HTTP proxy that the connection is tunnelled through. */
export interface ProxyData {
  /** Host name or IP address, without a port. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  /** With `password`, or neither. */
  readonly username?: string;
  readonly password?: string | Secret;
}

/** Values of the options, by name. */
export interface ProvisioningOptionValues {
  /** The registration id to use in place of the security client's. */
  readonly registration_id: string;
  /**
   * Longest wait for one thing (the connection, counted from `registerDevice`; an answer; the security client), in
   * whole seconds, 0 to 255; default 60. 0 leaves only the deadline of the whole run.
   */
  readonly provisioning_timeout: number;
  /** True: requests and answers are logged, without what is secret in them. Default false. */
  readonly logtrace: boolean;
  /** PEM of trust anchors to use in place of those of Node.js; pump transports only. */
  readonly TrustedCerts: string;
  /** Proxy to connect through; pump transports only. */
  readonly proxy_data: ProxyData;
  /** PEM of the certificate chain to show in the TLS handshake; needs `x509privatekey`. */
  readonly x509certificate: string;
  /** PEM of its key. */
  readonly x509privatekey: string | Secret;
}

/** Name of an option of `ProvisioningClientLL`. */
export type ProvisioningOptionName = keyof ProvisioningOptionValues;

/** What the options amount to. */
export interface Settings {
  readonly registrationId: string;
  readonly stepTimeoutMs: number;
  readonly logTrace: boolean;
  readonly trustedCertificatesPem?: string;
  readonly proxyUrl?: Secret;
  readonly certificatePem?: string;
  readonly privateKeyPem?: Secret;
  readonly payload?: JsonValue | undefined;
}

/** One option: how its value is read, and what it changes. */
export interface OptionRule {
  /** What the value changes; undefined when it is unusable. */
  read(value: unknown): Partial<Settings> | undefined;
  /** What it is about: `trace` may change at any time, the others between registrations; `link` and `certificate` concern the connection. */
  readonly scope: 'trace' | 'run' | 'link' | 'certificate';
}

/** Finds an option by its name. */
export function findOption(name: string): OptionRule | undefined {
  return Object.hasOwn(optionRules, name) ? optionRules[name as ProvisioningOptionName] : undefined;
}

/** The settings of a client that was not told anything. */
export function defaultSettings(registrationId: string): Settings {
  return { registrationId, stepTimeoutMs: 60_000, logTrace: false };
}

/** True when a payload survives JSON. */
export function isJson(value: unknown): value is JsonValue {
  try {
    return typeof JSON.stringify(value) === 'string';
  } catch {
    return false;
  }
}

const optionRules: Readonly<Record<ProvisioningOptionName, OptionRule>> = {
  registration_id: {
    scope: 'run',
    read: (value) =>
      findRegistrationIdProblem(value) === undefined ? { registrationId: value as string } : undefined,
  },
  provisioning_timeout: {
    scope: 'run',
    read: (value) =>
      Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255
        ? { stepTimeoutMs: (value as number) * 1000 }
        : undefined,
  },
  logtrace: {
    scope: 'trace',
    read: (value) => (typeof value === 'boolean' ? { logTrace: value } : undefined),
  },
  TrustedCerts: {
    scope: 'link',
    read: (value) => (isPem(value, 'CERTIFICATE') ? { trustedCertificatesPem: value } : undefined),
  },
  proxy_data: {
    scope: 'link',
    read: (value) => {
      const proxyUrl = readProxy(value);
      return proxyUrl === undefined ? undefined : { proxyUrl };
    },
  },
  x509certificate: {
    scope: 'certificate',
    read: (value) => (isPem(value, 'CERTIFICATE') ? { certificatePem: value } : undefined),
  },
  x509privatekey: {
    scope: 'certificate',
    read: (value) => {
      const text = value instanceof Secret ? value.revealText() : value;
      return isPem(text, 'PRIVATE KEY') ? { privateKeyPem: Secret.fromText(text) } : undefined;
    },
  },
};

function isPem(value: unknown, kind: string): value is string {
  return typeof value === 'string' && new RegExp(`-----BEGIN [A-Z ]*${kind}-----`).test(value);
}

function readProxy(value: unknown): Secret | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { host, port, username, password } = value as Partial<Record<keyof ProxyData, unknown>>;
  if (typeof host !== 'string' || typeof port !== 'number') return undefined;
  const text = password instanceof Secret ? password.revealText() : password;
  let credentials = '';
  if (username !== undefined || text !== undefined) {
    if (typeof username !== 'string' || username === '' || typeof text !== 'string') return undefined;
    credentials = `${encodeURIComponent(username)}:${encodeURIComponent(text)}@`;
  }
  try {
    // A host with a port of its own would be two answers to one question.
    const bare = parseHostPort(host, { defaultPort: 1 });
    if (bare.port !== 1) return undefined;
    return Secret.fromText(`http://${credentials}${formatHostPort({ host: bare.host, port })}`);
  } catch (error) {
    if (error instanceof InvalidArgumentError) return undefined;
    throw error;
  }
}
