import { isEndorseError } from '@endorse/interface';
import type { GatewayCallOptions, GatewayCaller } from '../calls/call.ts';
import type { IdentityCalls } from '../calls/identity-calls.ts';
import type { GatewayProfile } from '../profile.ts';
import type { JsonObject } from '../read-json.ts';
import { readBoolean, readInteger, readObject, readObjects, readText } from '../read-json.ts';
import type { GatewayService, GatewaySettings, SettingWrite } from './settings.ts';

/** The settings of a gateway. */
export interface SettingsCalls {
  /** Reads every setting there is. */
  getSettings(options?: GatewayCallOptions): Promise<GatewaySettings>;
  /**
   * Writes one setting. Where that moves the API to another port, the session follows and waits until it answers
   * there; `ERR_TIMEOUT` after `returnTimeoutMs`. Turning HTTPS off or a network port ends the session as well.
   */
  writeSetting(write: SettingWrite, options?: GatewayCallOptions): Promise<void>;
}

/** What the settings need from their session. */
export interface SettingsContext extends GatewayCaller {
  readonly profile: GatewayProfile;
  readonly identity: Pick<IdentityCalls, 'getIdentity' | 'setHostName'>;
  /** Runs `handOver`, goes on at another port, and waits until the gateway answers there. */
  moveToPort(port: number, handOver: () => Promise<void>, options: GatewayCallOptions): Promise<void>;
}

/** Groups of `GET /system/services`. */
const serviceGroups = ['cloudConnectivity', 'network', 'protocol', 'provisionService', 'service'];

/** Implements {@link SettingsCalls}. */
export function createSettingsCalls({ call, profile, identity, moveToPort }: SettingsContext): SettingsCalls {
  const get = async (what: string, path: string, options: GatewayCallOptions): Promise<JsonObject> =>
    readObject(await call(`read ${what}`, { method: 'GET', path }, options), 'data');

  /** Undefined for what this gateway does not have. */
  const find = async <Value>(
    what: string,
    path: string,
    options: GatewayCallOptions,
    read: (data: JsonObject) => Value,
  ): Promise<Value | undefined> => {
    try {
      return read(await get(what, path, options));
    } catch (error) {
      if (isEndorseError(error) && error.code === 'ERR_GATEWAY_NOT_FOUND') return undefined;
      throw error;
    }
  };
  const isEnabled = (data: JsonObject): boolean => readBoolean(data, 'enable');

  return {
    getSettings: async (options = {}) => ({
      hostName: (await identity.getIdentity(options)).hostName,
      discovery: await find('the discovery switch', profile.discoveryPath, options, isEnabled),
      ssh: await find('the SSH settings', '/system/sshserver', options, (data) => ({
        enabled: readBoolean(data, profile.sshFields.enabled),
        port: readInteger(data, profile.sshFields.port),
      })),
      serialConsole: await find('the console settings', '/system/serialconsole', options, isEnabled),
      https: await find('the HTTPS settings', '/system/httpserver', options, (data) => ({
        enabled: readBoolean(data, 'httpsEnable'),
        port: readInteger(data, 'httpsPort'),
      })),
      services: profile.hasServices
        ? await find('the services', '/system/services', options, readServices)
        : undefined,
    }),
    writeSetting: async (write, options = {}) => {
      switch (write.setting) {
        case 'host-name':
          return identity.setHostName(write.value, options);
        case 'discovery':
          await call(
            `turn discovery ${onOff(write.value)}`,
            { method: 'PUT', path: profile.discoveryPath, body: { enable: write.value } },
            options,
          );
          return undefined;
        case 'ssh': {
          const body = { enable: write.value.enabled, port: write.value.port };
          const request = { method: profile.sshMethod, path: '/system/sshserver', body };
          await call(`turn SSH ${onOff(write.value.enabled)}`, request, options);
          return undefined;
        }
        case 'serial-console':
          await call(
            `turn the serial console ${onOff(write.value)}`,
            { method: 'PUT', path: '/system/serialconsole', body: { enable: write.value } },
            options,
          );
          return undefined;
        case 'https-port':
          return moveToPort(
            write.value,
            async () => {
              const request = { method: 'PATCH', path: '/system/httpserver' } as const;
              const body = { httpsPort: write.value };
              await call(`move HTTPS to port ${write.value}`, { ...request, body }, options);
            },
            options,
          );
        case 'https':
          await call(
            `turn HTTPS ${onOff(write.value)}`,
            { method: 'PATCH', path: '/system/httpserver', body: { httpsEnable: write.value } },
            options,
          );
          return undefined;
        case 'service': {
          const path = `/system/services/${encodeURIComponent(write.id)}/${write.value ? 'enable' : 'disable'}`;
          await call(`turn ${write.id} ${onOff(write.value)}`, { method: 'PUT', path }, options);
          return undefined;
        }
        default:
          write satisfies never;
          return undefined;
      }
    },
  };
}

function readServices(data: JsonObject): readonly GatewayService[] {
  return serviceGroups.flatMap((group) =>
    readObjects(data, group).map((service) => ({
      id: readText(service, 'id'),
      available: readBoolean(service, 'available'),
      enabled: readBoolean(service, 'enable'),
    })),
  );
}

function onOff(enabled: boolean): string {
  return enabled ? 'on' : 'off';
}
