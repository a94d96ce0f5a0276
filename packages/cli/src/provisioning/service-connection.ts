/** The service API that plan and apply use: a connection string, or endpoint, policy name and policy key. */
import { Secret } from '@endorse/interface';
import type { EnrollmentClient } from '@endorse/enrollment-client';
import { parseServiceConnectionString } from '@endorse/protocol';
import { checkOption } from '../command/check-option.ts';
import type { CommandContext } from '../command/command.ts';
import { UsageError } from '../command/usage-error.ts';
import { readOptionFile } from '../commands/read-file.ts';
import { createVerbose } from '../output/verbose.ts';
import type { SecretOptions } from './secret-source.ts';
import { readSecret, secretOptions } from './secret-source.ts';

/** Where the connection string comes from. */
export const connectionStringOptions: SecretOptions<'connection-string'> = secretOptions(
  'connection-string',
  'the connection string of the service API',
);

/** Where the policy key comes from, if there is no connection string. */
export const policyKeyOptions: SecretOptions<'policy-key'> = secretOptions(
  'policy-key',
  'the key of the shared access policy',
);

/** Options that say which service, and how to trust it. */
export const serviceConnectionOptions = {
  'service-endpoint': {
    type: 'string',
    value: 'HOST',
    summary: 'service endpoint of the DPS, instead of a connection string',
  },
  'policy-name': { type: 'string', value: 'NAME', summary: 'name of the shared access policy' },
  ca: {
    type: 'string',
    value: 'FILE',
    summary: 'PEM certificates to trust for the service instead of the usual ones',
  },
} as const;

/** The variable that is looked at when no option says where the connection string is. */
export const connectionStringVariable = 'ENDORSE_CONNECTION_STRING';

/** What was found. */
export interface ServiceAccess {
  readonly endpoint: string;
  readonly policyName: string;
  readonly policyKey: Secret;
}

/** What is known of the service from elsewhere, the job or the plan. */
export interface KnownService {
  readonly endpoint?: string | undefined;
  readonly policyName?: string | undefined;
}

/** Reads the access; throws `UsageError` that names every part that is missing, and never shows a key. */
export async function readServiceAccess(
  values: Readonly<Record<string, unknown>>,
  known: KnownService,
  context: CommandContext,
): Promise<ServiceAccess> {
  const policyKey = await readSecret('policy-key', 'policy key', values, context);
  const isSplit = policyKey !== undefined || values['service-endpoint'] !== undefined;
  const given =
    (await readSecret('connection-string', 'connection string', values, context)) ??
    (isSplit ? undefined : fromVariable(context));
  if (given !== undefined) {
    if (isSplit) throw new UsageError('a connection string excludes --service-endpoint and --policy-key-…');
    return fromConnectionString(given);
  }
  const endpoint = (values['service-endpoint'] as string | undefined) ?? known.endpoint;
  const policyName = (values['policy-name'] as string | undefined) ?? known.policyName;
  const missing = [
    ...(endpoint === undefined ? ['the service endpoint (--service-endpoint)'] : []),
    ...(policyName === undefined ? ['the policy name (--policy-name)'] : []),
    ...(policyKey === undefined ? ['the policy key (--policy-key-env, -file, -fd or -prompt)'] : []),
  ];
  if (endpoint === undefined || policyName === undefined || policyKey === undefined) {
    throw new UsageError(`missing: ${missing.join('; ')}`, {
      remedy: `Or give all three at once: --connection-string-file FILE, or the variable ${connectionStringVariable}.`,
    });
  }
  // As people paste it from the overview page: with or without https:// and a slash.
  const { readServiceEndpoint } = await import('@endorse/provisioning-utility');
  return { endpoint: readServiceEndpoint(endpoint), policyName, policyKey: decodeKey(policyKey) };
}

function fromVariable({ env }: CommandContext): Secret | undefined {
  const text = env[connectionStringVariable];
  return text === undefined || text === '' ? undefined : Secret.fromText(text);
}

function fromConnectionString(text: Secret): ServiceAccess {
  const { hostName, sharedAccessKeyName, sharedAccessKey } = checkOption('connection-string-…', () =>
    parseServiceConnectionString(text.revealText().trim()),
  );
  text.dispose();
  return { endpoint: hostName, policyName: sharedAccessKeyName, policyKey: sharedAccessKey };
}

function decodeKey(text: Secret): Secret {
  try {
    return Secret.fromBase64(text.revealText().trim());
  } catch {
    throw new UsageError('the policy key is not base64', {
      remedy: 'Copy the primary key of the shared access policy, and nothing else.',
    });
  }
}

/** Makes the client of the service API. */
export async function openEnrollments(
  { endpoint, policyName, policyKey }: ServiceAccess,
  caFile: string | undefined,
  { output, version }: CommandContext,
): Promise<EnrollmentClient> {
  const { createEnrollmentClient } = await import('@endorse/enrollment-client');
  return createEnrollmentClient({
    hostName: endpoint,
    sharedAccessKeyName: policyName,
    sharedAccessKey: policyKey,
    ca: caFile === undefined ? undefined : readOptionFile('ca', caFile),
    proxyFromEnvironment: true,
    userAgent: `endorse-cli/${version}`,
    ...createVerbose(output).logging,
  });
}
