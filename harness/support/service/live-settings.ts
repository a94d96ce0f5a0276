import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';
import { Secret } from '@endorse/interface';
import {
  amqpPort,
  formatHostPort,
  parseHostPort,
  parseServiceConnectionString,
  validateIdScope,
} from '@endorse/protocol';
import type { ServiceAddress } from './service-under-test.ts';

/** Every variable that says which real service to run against. */
export const liveVariables = {
  connectionString: 'ENDORSE_LIVE_CONNECTION_STRING',
  idScope: 'ENDORSE_LIVE_ID_SCOPE',
  host: 'ENDORSE_LIVE_HOST',
  ports: 'ENDORSE_LIVE_PORTS',
  caFile: 'ENDORSE_LIVE_CA_FILE',
} as const;

/** The variables of a live run are missing, half set, wrong, or set where they must not be. */
export class LiveSettingsError extends Error {
  override readonly name = 'LiveSettingsError';
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads which real service to run against; undefined when no variable is set. Contacts nobody.
 *
 * Throws {@link LiveSettingsError} for settings that nobody can follow: half of them is a mistake, not a wish for the
 * emulator. In CI they are refused, so that no pull request spends somebody's subscription or learns its key.
 */
export function readLiveSettings(environment: Environment): ServiceAddress | undefined {
  const read = (name: keyof typeof liveVariables): string | undefined =>
    environment[liveVariables[name]] || undefined;
  const given = (Object.keys(liveVariables) as (keyof typeof liveVariables)[]).filter(
    (name) => read(name) !== undefined,
  );
  if (given.length === 0) return undefined;
  if (isTrue(environment['CI'])) {
    const names = given.map((name) => liveVariables[name]).join(', ');
    throw new LiveSettingsError(`${names}: a live run is for a person, and CI is set`);
  }
  const need = (name: 'connectionString' | 'idScope'): string => {
    const value = read(name);
    if (value !== undefined) return value;
    const others = given.map((other) => liveVariables[other]).join(', ');
    throw new LiveSettingsError(`${liveVariables[name]} is missing, and ${others} is set`);
  };
  const connectionString = need('connectionString');
  const idScope = need('idScope');
  check('connectionString', () => parseServiceConnectionString(connectionString));
  check('idScope', () => validateIdScope(idScope, liveVariables.idScope));
  const host = read('host') ?? globalHost;
  check('host', () => {
    if (parseHostPort(host).port === servicePorts.http) return;
    throw new Error(`must be a host alone; ${liveVariables.ports} is for ports`);
  });
  const ports = check('ports', () => readPorts(read('ports') ?? ''));
  const caFile = read('caFile');
  const caPem = check('caFile', () =>
    caFile === undefined ? getCACertificates('default').join('\n') : readPem(caFile),
  );
  const at = (port: number): string => formatHostPort({ ...parseHostPort(host), port });
  return {
    idScope,
    caPem,
    provisioningHost: at(ports.http),
    endpoints: {
      http: `https://${at(ports.http)}`,
      amqp: `amqps://${at(ports.amqp)}`,
      mqtt: `mqtts://${at(ports.mqtt)}`,
    },
    serviceConnectionString: Secret.fromText(connectionString),
  };
}

const globalHost = 'global.azure-devices-provisioning.net';

const servicePorts = { http: 443, amqp: amqpPort, mqtt: 8883 } as const;

/** Reads `http=…,amqp=…,mqtt=…`; what is not named keeps the port of the service. */
function readPorts(text: string): Readonly<Record<keyof typeof servicePorts, number>> {
  const ports: Record<keyof typeof servicePorts, number> = { ...servicePorts };
  for (const part of text.split(',').filter((each) => each.trim() !== '')) {
    const [, name, port] = /^\s*(http|amqp|mqtt)=(\d{1,5})\s*$/.exec(part) ?? [];
    const number = Number(port);
    if (name === undefined || number < 1 || number > 65_535) {
      throw new Error('must be like http=443,amqp=5671,mqtt=8883');
    }
    ports[name as keyof typeof servicePorts] = number;
  }
  return ports;
}

function readPem(file: string): string {
  const pem = readFileSync(file, 'utf8');
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('has no PEM certificate');
  return pem;
}

/** Names the variable in front of what is wrong with it; no check says what a connection string holds. */
function check<Value>(name: keyof typeof liveVariables, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new LiveSettingsError(`${liveVariables[name]}: ${(error as Error).message}`, { cause: error });
  }
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}
