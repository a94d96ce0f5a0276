import type { JsonObject } from '@endorse/interface';
import { parse } from 'yaml';
import { ProvisioningError } from '../errors.ts';
import { defined } from '../support/defined.ts';
import { ObjectReader } from '../support/read-object.ts';
import type { JobConfigure, JobEnrollment, JobWriteBack, ProvisioningJob } from './job.ts';
import { defaultGlobalEndpoint, readGlobalEndpoint, readServiceEndpoint } from './service-endpoint.ts';

/** A job larger than this was not written by hand. */
const maxJobLength = 262_144;

/**
 * Reads a job from YAML or JSON text. Throws `ERR_JOB` with the place and the rule. `overrides` are values from elsewhere
 * (a command line) for `service.endpoint`, `service.policyName` and `service.idScope`; they win.
 */
export function readJob(
  text: string,
  overrides: {
    readonly endpoint?: string | undefined;
    readonly policyName?: string | undefined;
    readonly idScope?: string | undefined;
    readonly globalEndpoint?: string | undefined;
  } = {},
): ProvisioningJob {
  const { job, service } = openJob(text);
  const pick = (name: 'endpoint' | 'policyName' | 'idScope' | 'globalEndpoint'): string | undefined =>
    overrides[name] ?? service.optionalText(name, /^.{1,512}$/, 'must be text');
  const endpoint = pick('endpoint');
  if (endpoint === undefined) throw missing('service.endpoint', 'the service endpoint of the DPS');
  const policyName = pick('policyName');
  if (policyName === undefined) throw missing('service.policyName', 'the name of a shared access policy');
  if (!/^[^;=\s]{1,128}$/.test(policyName))
    throw service.problem('policyName', 'must not contain ; = or blanks');
  const writeBack = readWriteBack(pick('idScope'), pick('globalEndpoint'));
  return {
    service: { endpoint: readServiceEndpoint(endpoint), policyName },
    enrollment: readEnrollment(job.optionalObject('enrollment', enrollmentNames)),
    ...(writeBack === undefined ? {} : { writeBack }),
    configure: readConfigure(job.optionalObject('configure', configureNames)),
    verify: readVerify(job.optionalObject('verify', ['timeoutSeconds', 'pauseSeconds'])),
  };
}

/** What a job says of the service, whether or not the rest of it is there yet. Throws `ERR_JOB`. */
export function readJobService(text: string): {
  readonly endpoint: string | undefined;
  readonly policyName: string | undefined;
} {
  const { service } = openJob(text);
  const read = (name: string): string | undefined => service.optionalText(name, /^.{1,512}$/, 'must be text');
  return { endpoint: read('endpoint'), policyName: read('policyName') };
}

function openJob(text: string): { readonly job: ObjectReader; readonly service: ObjectReader } {
  if (text.length > maxJobLength) {
    throw new ProvisioningError('ERR_JOB', `the job is longer than ${maxJobLength}`);
  }
  const names = ['service', 'enrollment', 'configure', 'verify'];
  const job = new ObjectReader(parseYaml(text) ?? {}, 'the job', names, 'ERR_JOB');
  const service =
    job.optionalObject('service', serviceNames) ?? new ObjectReader({}, 'service', serviceNames, 'ERR_JOB');
  return { job, service };
}

const serviceNames = ['endpoint', 'policyName', 'idScope', 'globalEndpoint'];
const enrollmentNames = [
  'iotEdge',
  'initialTwin',
  'allocationPolicy',
  'iotHubHostName',
  'iotHubs',
  'provisioningStatus',
  'reprovisionPolicy',
];
const configureNames = [
  'time',
  'ssh',
  'serialConsole',
  'discovery',
  'services',
  'httpsPort',
  'rotatePassword',
  'allowLockout',
];

function parseYaml(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0, strict: true, uniqueKeys: true });
  } catch (cause) {
    const message = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new ProvisioningError('ERR_JOB', `the job is neither YAML nor JSON: ${message}`, { cause });
  }
}

function missing(name: string, what: string): ProvisioningError {
  return new ProvisioningError('ERR_JOB', `${name} is missing: ${what}`, {
    remedy: `Add ${name} to the job, or give it on the command line.`,
  });
}

function readWriteBack(
  idScope: string | undefined,
  globalEndpoint: string | undefined,
): JobWriteBack | undefined {
  if (idScope === undefined) return undefined;
  if (!/^[\x21-\x7e]{1,128}$/.test(idScope)) {
    throw new ProvisioningError('ERR_JOB', 'service.idScope must have 1 to 128 printable ASCII characters');
  }
  return { idScope, globalEndpoint: readGlobalEndpoint(globalEndpoint ?? defaultGlobalEndpoint) };
}

/** A scope of the public cloud is `0ne` and hex digits; others exist (sovereign clouds, emulators), so it is a warning. */
export function findIdScopeWarning(idScope: string): string | undefined {
  return /^0ne[0-9A-F]{8,}$/i.test(idScope)
    ? undefined
    : `the ID scope ${idScope} does not look like one of the public cloud (0ne and hex digits)`;
}

function readEnrollment(reader: ObjectReader | undefined): JobEnrollment {
  if (reader === undefined) return {};
  const iotEdge = reader.optionalBoolean('iotEdge');
  const twin = reader.raw('initialTwin');
  const policy = reader.optionalObject('reprovisionPolicy', ['updateHubAssignment', 'migrateDeviceData']);
  return defined({
    capabilities: iotEdge === undefined ? undefined : { iotEdge },
    initialTwin: twin === undefined || twin === null ? undefined : readTwin(reader, twin),
    allocationPolicy: reader.optionalWord('allocationPolicy', ['hashed', 'geoLatency', 'static'] as const),
    iotHubHostName: reader.optionalText('iotHubHostName', /^[\w.:-]{1,255}$/, 'must be a host name'),
    iotHubs: reader.optionalTexts('iotHubs'),
    provisioningStatus: reader.optionalWord('provisioningStatus', ['enabled', 'disabled'] as const),
    reprovisionPolicy: policy && {
      updateHubAssignment: policy.optionalBoolean('updateHubAssignment') ?? true,
      migrateDeviceData: policy.optionalBoolean('migrateDeviceData') ?? true,
    },
  });
}

function readTwin(reader: ObjectReader, twin: unknown): JsonObject {
  const fields = reader.optionalObject('initialTwin', ['tags', 'properties']);
  const desired = fields?.optionalObject('properties', ['desired']);
  for (const [owner, name] of [
    [fields, 'tags'],
    [desired, 'desired'],
  ] as const) {
    const value = owner?.raw(name);
    if (value !== undefined && (value === null || typeof value !== 'object' || Array.isArray(value))) {
      throw reader.problem(`initialTwin.${name}`, 'must be an object');
    }
  }
  return twin as JsonObject;
}

function readConfigure(reader: ObjectReader | undefined): JobConfigure {
  const services = reader?.raw('services');
  if (services !== undefined && services !== null) {
    const isTable =
      typeof services === 'object' && Object.values(services).every((value) => typeof value === 'boolean');
    if (!isTable)
      throw new ProvisioningError('ERR_JOB', 'configure.services must say true or false for each');
  }
  return {
    time: reader?.optionalBoolean('time') ?? false,
    rotatePassword: reader?.optionalBoolean('rotatePassword') ?? false,
    allowLockout: reader?.optionalBoolean('allowLockout') ?? false,
    ...defined({
      ssh: reader?.optionalBoolean('ssh'),
      serialConsole: reader?.optionalBoolean('serialConsole'),
      discovery: reader?.optionalBoolean('discovery'),
      services: (services ?? undefined) as Readonly<Record<string, boolean>> | undefined,
      httpsPort: reader?.optionalInteger('httpsPort', 1, 65_535),
    }),
  };
}

function readVerify(reader: ObjectReader | undefined): ProvisioningJob['verify'] {
  return {
    timeoutMs: (reader?.optionalInteger('timeoutSeconds', 0, 3600) ?? 300) * 1000,
    pauseMs: (reader?.optionalInteger('pauseSeconds', 1, 600) ?? 5) * 1000,
  };
}
