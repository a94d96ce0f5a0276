import { isIPv4, isIPv6 } from 'node:net';
import type { Clock, Logger, RandomSource, Secret } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { normalizeHostname } from './certificate/server-names.ts';
import type { LinkedHub } from './allocation/linked-hub.ts';
import type { EmulatorSeed } from './seed/seed.ts';
import type { EmulatorCoreOptions } from './core/core-options.ts';
import { checkCoreOptions } from './core/core-options.ts';

/** Options of `startEmulator`; every one has a default that suits a test. */
export interface EmulatorOptions extends Omit<
  EmulatorCoreOptions,
  'clock' | 'random' | 'hubs' | 'hostnames' | 'callWebHook' | 'onDeviceExchange'
> {
  /** Port of the device and service API, 0 to 65535; default that of the last time in the data directory, else 0, the system chooses. */
  readonly httpPort?: number;
  /** Port of the first hub, 0 to 65535; default as for `httpPort`, because devices were told. */
  readonly hubPort?: number;
  /** The linked hubs, 1 to 50, each with a listener, devices and twins of its own; default one, `hub`. */
  readonly hubs?: readonly HubOptions[];
  /** How long a web-hook of `custom` allocation may take, in milliseconds, 1 to 60,000; default 10,000. */
  readonly webHookTimeoutMs?: number;
  /** Port of AMQP over TLS, 0 to 65535; default as for `httpPort`. */
  readonly amqpPort?: number;
  /** Port of MQTT over TLS, 0 to 65535; default as for `httpPort`. */
  readonly mqttPort?: number;
  /**
   * Port of the admin API and its page, 0 to 65535, on 127.0.0.1 whatever `bind` says; default none: there is no admin
   * API, and nothing is traced.
   */
  readonly adminPort?: number;
  /** What the admin API wants as bearer token; default a fresh one. 16 to 256 letters, digits, `-` and `_`. */
  readonly adminToken?: Secret;
  /** Address to listen on; default `127.0.0.1`. Anything but a loopback address needs `allowNonLoopback`. */
  readonly bind?: string;
  /**
   * Lets the emulator listen where other machines reach it. Dangerous: whoever reaches it can register devices, and
   * its CA is a fake that some client there may have been told to trust. Default false.
   */
  readonly allowNonLoopback?: boolean;
  /** Further names and addresses for the certificate and for tokens, beside localhost, 127.0.0.1 and ::1. */
  readonly hostnames?: readonly string[];
  /** Host, without a port, that is handed out in endpoints and as assigned hub; default `localhost`, or `bind` where that would not lead there. */
  readonly advertisedHost?: string;
  /**
   * Directory in which everything outlives the process, also one that is killed: `emulator.sqlite`, CA, ID scope,
   * access policies and ports. Every answer leaves after what it says is on the disk. One emulator at a time.
   * Default: everything is forgotten at the end.
   */
  readonly dataDirectory?: string;
  /** What to begin with; what is there already, in a data directory, stays as it is. */
  readonly seed?: EmulatorSeed;
  /** File, YAML or JSON, with more of the same. */
  readonly seedFile?: string;
  /** Directory whose CA is reused, or where a new one is put: `ca.pem` for clients. Default the data directory; without one, a CA that is never written. */
  readonly caDirectory?: string;
  /**
   * The service's time; default the system's. With a `sleep`, delays and time-outs pass by it, too. Certificates follow
   * the system's time in any case, because clients do.
   */
  readonly clock?: Pick<Clock, 'now'> & Partial<Pick<Clock, 'sleep'>>;
  /** Added to the service's time, in milliseconds, to act out a device whose clock is off; default 0. */
  readonly clockSkewMs?: number;
  /** Source of keys, seeds and ids; default the system's. TLS keys always come from the system. */
  readonly random?: RandomSource;
  /** Receives one line an event; default none. */
  readonly logger?: Logger;
}

/** A hub of an emulator. */
export interface HubOptions extends Omit<LinkedHub, 'hostName'> {
  /** Port, 0 to 65535; default that of the last time in the data directory, else 0, the system chooses. */
  readonly port?: number;
}

/** Names under which an emulator is reached. */
export interface EmulatorNames {
  /** Address to listen on. */
  readonly bind: string;
  /** Host that is handed out. */
  readonly advertisedHost: string;
  /** Everything beside the loopback names that the certificate holds and tokens may be for. */
  readonly hostnames: readonly string[];
}

/** Checks every option before anything happens, and decides how the emulator is reached. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
export function resolveOptions(options: EmulatorOptions): EmulatorNames {
  checkCoreOptions(options);
  if (!Number.isFinite(options.clockSkewMs ?? 0)) {
    throw new InvalidArgumentError(
      'options.clockSkewMs',
      'must be a number of milliseconds',
      'ERR_OUT_OF_RANGE',
    );
  }
  const bind = options.bind ?? '127.0.0.1';
  if (bind !== 'localhost' && !isIPv4(bind) && !isIPv6(bind)) {
    throw new InvalidArgumentError('options.bind', 'must be an IP address or localhost');
  }
  if (!isLoopback(bind) && options.allowNonLoopback !== true) {
    throw new InvalidArgumentError(
      'options.bind',
      `is ${bind}, which other machines can reach; this is a fake service whose CA and keys protect nothing, so it ` +
        'listens on loopback addresses only, unless allowNonLoopback: true says that this is meant',
    );
  }
  if (options.adminPort !== undefined) checkPort('adminPort', options.adminPort);
  if (options.adminToken !== undefined && !/^[\w-]{16,256}$/.test(options.adminToken.revealText())) {
    throw new InvalidArgumentError('options.adminToken', 'must have 16 to 256 letters, digits, - and _');
  }
  checkPort('httpPort', options.httpPort ?? 0);
  checkPort('hubPort', options.hubPort ?? 0);
  for (const [index, { port = 0 }] of (options.hubs ?? []).entries()) checkPort(`hubs[${index}].port`, port);
  const { webHookTimeoutMs = 1 } = options;
  if (!Number.isInteger(webHookTimeoutMs) || webHookTimeoutMs < 1 || webHookTimeoutMs > 60_000) {
    throw new InvalidArgumentError(
      'options.webHookTimeoutMs',
      'must be a whole number from 1 to 60000',
      'ERR_OUT_OF_RANGE',
    );
  }
  checkPort('amqpPort', options.amqpPort ?? 0);
  checkPort('mqttPort', options.mqttPort ?? 0);
  const hostnames = (options.hostnames ?? []).map((name) => normalizeHostname(name, 'options.hostnames'));
  // localhost means 127.0.0.1 to some clients, and a wildcard is no address to connect to.
  const fallback = bind === '127.0.0.1' || isWildcard(bind) ? 'localhost' : bind;
  const advertisedHost = normalizeHostname(options.advertisedHost ?? fallback, 'options.advertisedHost');
  if (advertisedHost.startsWith('*')) {
    throw new InvalidArgumentError('options.advertisedHost', 'must be one host, without a *');
  }
  return {
    bind,
    advertisedHost,
    hostnames: [advertisedHost, ...(isWildcard(bind) ? [] : [bind]), ...hostnames],
  };
}

function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || (isIPv4(address) && address.startsWith('127.'));
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || /^[0:]+$/.test(address);
}

function checkPort(name: string, port: number): void {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return;
  throw new InvalidArgumentError(`options.${name}`, 'must be an integer from 0 to 65535', 'ERR_OUT_OF_RANGE');
}
