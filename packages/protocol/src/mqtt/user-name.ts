/** The user names of CONNECT. The service's has no question mark before `api-version`, the hub's has one. */
import {
  defaultApiVersion,
  defaultHubApiVersion,
  parseApiVersion,
  validateApiVersion,
} from '../identifiers/api-version.ts';
import { formatHostPort, parseHostPort } from '../identifiers/host-port.ts';
import {
  findDeviceIdProblem,
  findIdScopeProblem,
  findRegistrationIdProblem,
  validateDeviceId,
} from '../identifiers/registration-id.ts';
import { malformed } from '../json/malformed.ts';
import type { DeviceRegistrationName } from '../http/device-target.ts';
import { percentEncode, registrationResource } from '../sas/sas-resource.ts';
import { maxTopicLength, readQuery } from './topic-query.ts';

/** A user name of the provisioning service, decoded. */
export interface RegistrationUserName extends DeviceRegistrationName {
  readonly apiVersion: string;
}

/** A user name of a hub, decoded. */
export interface HubUserName {
  /** As the device wrote it, with a port if it wrote one. */
  readonly hubHost: string;
  readonly deviceId: string;
  /** Present when it is one of the device's modules that connects. */
  readonly moduleId?: string;
  readonly apiVersion: string;
}

/** User name of a device at the provisioning service. Throws `ERR_INVALID_ARGUMENT`. */
export function encodeRegistrationUserName(
  registration: DeviceRegistrationName & {
    /** Default {@link defaultApiVersion}. */
    readonly apiVersion?: string | undefined;
    /** Name and version of the client's software; left out by default. */
    readonly clientVersion?: string | undefined;
  },
): string {
  const { idScope, registrationId, apiVersion = defaultApiVersion, clientVersion } = registration;
  const client = clientVersion === undefined ? '' : `&ClientVersion=${percentEncode(clientVersion)}`;
  return `${registrationResource(idScope, registrationId)}/api-version=${validateApiVersion(apiVersion)}${client}`;
}

/** Decodes the user name of a device at the provisioning service. Throws `ERR_REMOTE_MALFORMED`. */
export function parseRegistrationUserName(userName: string): RegistrationUserName {
  checkLength(userName);
  const [idScope = '', registrations = '', registrationId = '', ...rest] = userName.split('/');
  if (registrations.toLowerCase() !== 'registrations') {
    throw malformed(what, 'registrations', 'must be the second part');
  }
  check('idScope', findIdScopeProblem(idScope));
  check('registrationId', findRegistrationIdProblem(registrationId));
  return { idScope, registrationId, apiVersion: readVersion(rest.join('/')) };
}

/** User name of a device at its hub. Throws `ERR_INVALID_ARGUMENT`. */
export function encodeHubUserName(device: {
  /** `assignedHub`, with its port if it has one. */
  readonly hubHost: string;
  readonly deviceId: string;
  /** Default {@link defaultHubApiVersion}. */
  readonly apiVersion?: string | undefined;
  /** Name and version of the client's software; left out by default. */
  readonly clientType?: string | undefined;
}): string {
  const { hubHost, deviceId, apiVersion = defaultHubApiVersion, clientType } = device;
  const host = formatHostPort(parseHostPort(hubHost, { argument: 'hubHost' }), { defaultPort: 443 });
  const client = clientType === undefined ? '' : `&DeviceClientType=${percentEncode(clientType)}`;
  return `${host}/${validateDeviceId(deviceId)}/?api-version=${validateApiVersion(apiVersion)}${client}`;
}

/** Decodes the user name of a device or module at its hub. Throws `ERR_REMOTE_MALFORMED`. */
export function parseHubUserName(userName: string): HubUserName {
  checkLength(userName);
  const queryAt = userName.search(/\/\??api-version=/i);
  if (queryAt < 0) throw malformed(what, 'api-version', 'is missing');
  const [hubHost = '', deviceId = '', moduleId, ...more] = userName.slice(0, queryAt).split('/');
  if (hubHost === '' || more.length > 0) {
    throw malformed(what, 'host', 'must be host, device id and optionally module id, in turn');
  }
  check('deviceId', findDeviceIdProblem(deviceId));
  if (moduleId !== undefined) check('moduleId', findDeviceIdProblem(moduleId));
  return {
    hubHost,
    deviceId,
    ...(moduleId === undefined ? {} : { moduleId }),
    apiVersion: readVersion(userName.slice(queryAt + 1)),
  };
}

const what = 'user name';

function readVersion(query: string): string {
  return parseApiVersion(readQuery(query.replace(/^\?/, '')).get('api-version')).text;
}

function checkLength(userName: string): void {
  if (userName.length <= maxTopicLength) return;
  throw malformed(what, 'user name', `has ${userName.length} characters`, { code: 'ERR_REMOTE_TOO_LARGE' });
}

function check(path: string, problem: string | undefined): void {
  if (problem !== undefined) throw malformed(what, path, problem);
}
