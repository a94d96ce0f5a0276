/** From the arguments of `create` to the parts of a client. */
import type {
  ClientCertificate,
  Clock,
  Logger,
  NonceDecryptingSecurityClient,
  PumpTransportProvider,
  SecurityClient,
  Transport,
} from '@endorse/interface';
import {
  InvalidArgumentError,
  TimeoutError,
  UnsupportedCapabilityError,
  silentLogger,
} from '@endorse/interface';
import { findRegistrationIdProblem, formatHostPort, parseHostPort, validateIdScope } from '@endorse/protocol';
import type { Conversation } from './dialects/conversation.ts';
import { DpsConversation } from './dialects/dps.ts';
import { DrsConversation } from './dialects/drs.ts';
import { linkOverTransport, linkThroughPump } from './dialects/session-link.ts';
import type { ProvisioningClientOptions } from './client-options.ts';
import type { Settings } from './settings.ts';
import { defaultSettings } from './settings.ts';
import { systemClock } from './system-ports.ts';

/** What a client is made from, checked. */
export interface ClientParts {
  readonly dialect: 'drs' | 'dps';
  readonly protocol: PumpTransportProvider | Transport;
  readonly securityClient: SecurityClient;
  /** Of a security client that has one. */
  readonly certificate: ClientCertificate | undefined;
  /** As it was given. */
  readonly uri: string;
  readonly origin: string;
  readonly scopeId: string;
  readonly deadlineMs: number;
  readonly throttleMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A client's parts, its settings and its first conversation. */
export interface PreparedClient {
  readonly parts: ClientParts;
  readonly settings: Settings;
  readonly conversation: Conversation;
}

/**
 * Checks the arguments, then asks the security client who it is. Rejects with `ERR_INVALID_ARGUMENT`,
 * `ERR_OUT_OF_RANGE`, `ERR_UNSUPPORTED_CAPABILITY`, `ERR_TIMEOUT`, or what the parts reject with.
 */
export async function prepareClient(
  uri: string | null | undefined,
  scopeId: string | null | undefined,
  protocol: PumpTransportProvider | Transport | null | undefined,
  options: ProvisioningClientOptions,
): Promise<PreparedClient> {
  if (typeof uri !== 'string' || uri === '')
    throw new InvalidArgumentError('uri', 'must be the host of the service');
  const { host, port } = parseHostPort(uri, { argument: 'uri' });
  if (options === null || typeof options !== 'object') {
    throw new InvalidArgumentError('options', 'must be an object');
  }
  const { dialect = 'dps', clock = systemClock, logger = silentLogger } = options;
  const { securityClient } = options;
  const known = checkDialect(dialect, protocol, securityClient);
  const parts = {
    ...known,
    uri,
    scopeId: checkScope(scopeId, uri, dialect),
    origin: `https://${formatHostPort({ host, port }, { defaultPort: 443 })}`,
    deadlineMs: integer('options.deadlineMs', options.deadlineMs ?? 300_000, 1, 86_400_000),
    throttleMs: integer('options.throttleMs', options.throttleMs ?? 2000, 0, 300_000),
    clock,
    logger,
  };
  const { registrationId, certificate } = await readIdentity(securityClient, clock);
  const problem = findRegistrationIdProblem(registrationId);
  if (problem !== undefined)
    throw new InvalidArgumentError('options.securityClient', `has a registration id that ${problem}`);
  const settings = defaultSettings(registrationId);
  const complete = { ...parts, certificate };
  return { parts: complete, settings, conversation: createConversation(complete, settings) };
}

/** Makes the conversation for the present settings. Throws what the transport provider throws. */
export function createConversation(parts: ClientParts, settings: Settings): Conversation {
  const { dialect, protocol, securityClient, uri, origin, scopeId, clock } = parts;
  const certificate = certificateOf(parts, settings);
  if (typeof protocol !== 'function') {
    const link = linkOverTransport(protocol, () =>
      securityClient.kind === 'x509'
        ? { kind: 'x509', certificate: certificate ?? noCertificate() }
        : { kind: securityClient.kind },
    );
    return new DpsConversation({ link, securityClient, provisioningHost: uri, idScope: scopeId, clock });
  }
  const { trustedCertificatesPem, proxyUrl } = settings;
  const pump = protocol({
    host: uri,
    ...(trustedCertificatesPem === undefined ? {} : { trustedCertificatesPem }),
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
    ...(certificate === undefined ? {} : { clientCertificate: certificate }),
  });
  if (dialect === 'drs' && isNonceDecrypting(securityClient)) {
    return new DrsConversation({ pump, securityClient, origin, clock });
  }
  const link = linkThroughPump(pump, clock);
  return new DpsConversation({ link, securityClient, provisioningHost: uri, idScope: scopeId, clock });
}

/** The certificate of the options, or else the security client's. */
function certificateOf(
  { certificate }: ClientParts,
  { certificatePem, privateKeyPem }: Settings,
): ClientCertificate | undefined {
  return certificatePem === undefined || privateKeyPem === undefined
    ? certificate
    : { certificatePem, privateKeyPem };
}

function noCertificate(): never {
  throw new InvalidArgumentError('options.securityClient', 'has no certificate');
}

type CheckedProtocol = Pick<ClientParts, 'dialect' | 'protocol' | 'securityClient'>;

function checkDialect(
  dialect: 'drs' | 'dps',
  protocol: PumpTransportProvider | Transport | null | undefined,
  securityClient: SecurityClient,
): CheckedProtocol {
  if (dialect !== 'drs' && dialect !== 'dps') {
    throw new InvalidArgumentError('options.dialect', 'must be drs or dps');
  }
  if (typeof securityClient?.getRegistrationId !== 'function') {
    throw new InvalidArgumentError('options.securityClient', 'must be a security client');
  }
  const isTransport = typeof protocol === 'object' && typeof protocol?.openSession === 'function';
  if (typeof protocol !== 'function' && !isTransport) {
    throw new InvalidArgumentError('protocol', 'must be a pump transport provider or a transport');
  }
  if (dialect === 'drs' && isTransport) {
    throw new UnsupportedCapabilityError('the drs dialect needs a pump transport provider', {
      required: 'pump',
      available: [protocol.capabilities.carrier],
    });
  }
  if (dialect === 'drs' && !isNonceDecrypting(securityClient)) {
    throw new UnsupportedCapabilityError('the drs dialect needs a TPM security client that decrypts nonces', {
      required: 'decryptNonce',
      available: [securityClient.kind],
    });
  }
  if (isTransport && !protocol.capabilities.attestations.includes(securityClient.kind)) {
    const { attestations, refusals, carrier } = protocol.capabilities;
    const reason = refusals[securityClient.kind] ?? 'it says so itself';
    throw new UnsupportedCapabilityError(`${carrier} does not carry ${securityClient.kind}: ${reason}`, {
      required: securityClient.kind,
      available: attestations,
    });
  }
  return { dialect, protocol, securityClient };
}

function isNonceDecrypting(securityClient: SecurityClient): securityClient is NonceDecryptingSecurityClient {
  return (
    securityClient.kind === 'tpm' &&
    'decryptNonce' in securityClient &&
    typeof securityClient.decryptNonce === 'function'
  );
}

/** Without a scope, the one the requirements make of the address; the `drs` dialect sends none anyway. */
function checkScope(scopeId: string | null | undefined, uri: string, dialect: 'drs' | 'dps'): string {
  if (dialect === 'dps') return validateIdScope(scopeId as string, 'scopeId');
  if (scopeId === null || scopeId === undefined) return Buffer.from(uri, 'utf8').toString('base64');
  if (typeof scopeId === 'string' && scopeId !== '') return scopeId;
  throw new InvalidArgumentError('scopeId', 'must be a text, or absent');
}

/** Longest time for a security client to say who it is, in milliseconds. */
const identityTimeoutMs = 60_000;

async function readIdentity(
  securityClient: SecurityClient,
  clock: Clock,
): Promise<{ readonly registrationId: string; readonly certificate: ClientCertificate | undefined }> {
  const ended = new AbortController();
  const late = clock.sleep(identityTimeoutMs, ended.signal).then(
    () => {
      throw new TimeoutError(`the security client did not say who it is within ${identityTimeoutMs} ms`, {
        deadlineMs: identityTimeoutMs,
        state: 'create',
      });
    },
    // The answer was there before; nobody waits any more.
    () => new Promise<never>(() => undefined),
  );
  const { signal } = ended;
  const read = async (): Promise<Awaited<ReturnType<typeof readIdentity>>> => ({
    registrationId: await securityClient.getRegistrationId({ signal }),
    certificate: securityClient.kind === 'x509' ? await securityClient.getCertificate({ signal }) : undefined,
  });
  try {
    return await Promise.race([read(), late]);
  } finally {
    ended.abort(new Error('the client is made, or cannot be'));
  }
}

function integer(argument: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(argument, `must be an integer from ${least} to ${most}`, 'ERR_OUT_OF_RANGE');
}
