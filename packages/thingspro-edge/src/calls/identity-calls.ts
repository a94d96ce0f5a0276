import { InvalidArgumentError } from '@endorse/interface';
import type { JsonObject } from '../read-json.ts';
import { readBoolean, readObject, readObjects, readOptionalText, readText } from '../read-json.ts';
import type { GatewayCallOptions, GatewayCaller } from './call.ts';

/** What a gateway says about itself. */
export interface GatewayIdentity {
  /** Serial number as the gateway spells it; compare it without regard to case. */
  readonly serialNumber: string;
  readonly modelName: string;
  readonly hostName: string;
  /** Version of ThingsPro Edge or of its successor. */
  readonly softwareVersion: string | undefined;
  readonly firmwareVersion: string | undefined;
  readonly description: string | undefined;
}

/** One Ethernet port of a gateway. */
export interface GatewayNetworkPort {
  readonly ip: string | undefined;
  /** `00:90:e8:…`, as the gateway spells it. */
  readonly mac: string | undefined;
  /** True when the port is switched on. */
  readonly enabled: boolean;
}

/** Who a gateway is and what time it has. */
export interface IdentityCalls {
  /** Reads model, serial number and versions. */
  getIdentity(options?: GatewayCallOptions): Promise<GatewayIdentity>;
  /** Gives the gateway a host name: 1 to 64 characters in labels of letters, digits and dashes (RFC 1123, but no digit first). */
  setHostName(hostName: string, options?: GatewayCallOptions): Promise<void>;
  /** Reads the Ethernet ports. */
  getNetworkPorts(options?: GatewayCallOptions): Promise<readonly GatewayNetworkPort[]>;
  /** Reads the gateway's time, in milliseconds since 1970. */
  getTime(options?: GatewayCallOptions): Promise<number>;
  /** Sets the gateway's time, in milliseconds since 1970: tokens and certificates depend on it. */
  setTime(now: number, options?: GatewayCallOptions): Promise<void>;
}

/** Implements {@link IdentityCalls}. */
export function createIdentityCalls({ call }: GatewayCaller): IdentityCalls {
  return {
    getIdentity: async (options = {}) => {
      const answer = await call('read the identity', { method: 'GET', path: '/device/general' }, options);
      return readIdentity(readObject(answer, 'data'));
    },
    setHostName: async (hostName, options = {}) => {
      const body = { hostName: checkHostName(hostName) };
      await call('set the host name', { method: 'PATCH', path: '/device/general', body }, options);
    },
    getNetworkPorts: async (options = {}) => {
      const answer = await call(
        'read the network ports',
        { method: 'GET', path: '/device/ethernets' },
        options,
      );
      return readObjects(answer, 'data').map((port) => ({
        ip: readOptionalText(port, 'ip'),
        mac: readOptionalText(port, 'mac'),
        enabled: readBoolean(port, 'enable'),
      }));
    },
    getTime: async (options = {}) => {
      const answer = await call('read the time', { method: 'GET', path: '/device/time' }, options);
      return Date.parse(readText(readObject(answer, 'data'), 'time'));
    },
    setTime: async (now, options = {}) => {
      if (!Number.isFinite(now)) throw new InvalidArgumentError('now', 'must be milliseconds since 1970');
      // RFC 3339 without fractions: the API takes at most 35 characters and shows none.
      const body = { time: `${new Date(now).toISOString().slice(0, 19)}Z` };
      await call('set the time', { method: 'PATCH', path: '/device/time', body }, options);
    },
  };
}

function readIdentity(general: JsonObject): GatewayIdentity {
  return {
    serialNumber: readText(general, 'serialNumber'),
    modelName: readText(general, 'modelName'),
    hostName: readOptionalText(general, 'hostName') ?? '',
    softwareVersion:
      readOptionalText(general, 'thingsproVersion') ?? readOptionalText(general, 'softwareVersion'),
    firmwareVersion: readOptionalText(general, 'firmwareVersion'),
    description: readOptionalText(general, 'description'),
  };
}

const label = /^[a-z]([a-z0-9-]*[a-z0-9])?$/i;

/** Checks a host name by the rule of the API. Throws `ERR_INVALID_ARGUMENT`. */
export function checkHostName(hostName: string): string {
  const isValid =
    typeof hostName === 'string' &&
    hostName.length >= 1 &&
    hostName.length <= 64 &&
    hostName.split('.').every((part) => part.length <= 63 && label.test(part));
  if (isValid) return hostName;
  throw new InvalidArgumentError(
    'hostName',
    'must have 1 to 64 characters: labels of letters, digits and dashes that begin with a letter',
  );
}
