import type { Clock } from '@endorse/interface';
import { formatHostPort, maxRequestBytes } from '@endorse/protocol';
import type { LinkedHub } from './allocation/linked-hub.ts';
import type { ServerCredentials } from './certificate/authority.ts';
import {
  createAuthority,
  issueExpiredServerCertificate,
  issueServerCertificate,
} from './certificate/authority.ts';
import { openAuthorityDirectory } from './certificate/authority-directory.ts';
import { toServerNames } from './certificate/server-names.ts';
import type { EmulatorNames, EmulatorOptions, HubOptions } from './emulator-options.ts';
import type { FaultCarrier } from './faults/fault-rule.ts';
import type { Stamps } from './listener/fault-answer.ts';
import type { HttpsServer } from './listener/https-server.ts';
import { startHttpsServer } from './listener/https-server.ts';
import { maxEventBytes } from './listener/hub-handler.ts';
import type { Listening } from './listener/listening.ts';
import { createStartingHandler } from './listener/starting-handler.ts';
import type { TlsServer } from './listener/tls-server.ts';
import { startTlsServer } from './listener/tls-server.ts';
import type { EmulatorState } from './store/emulator-state.ts';

/** A hub and where it listens. */
export interface HubServer {
  readonly linked: LinkedHub;
  readonly server: HttpsServer;
}

/** Every listener of an emulator. */
export interface EmulatorServers {
  readonly service: HttpsServer;
  /** In the order of the options, at least one. */
  readonly hubs: readonly [HubServer, ...HubServer[]];
  readonly amqp: TlsServer;
  readonly mqtt: TlsServer;
  readonly ca: { readonly caPem: string; readonly caFile?: string };
  /** Asks for every connection from now on whether to show it a certificate that expired yesterday. */
  readonly showExpiredCertificate: (isShown: (carrier: FaultCarrier) => boolean) => void;
  /** Closes one more thing along with them. */
  readonly alsoClose: (close: () => Promise<void>) => void;
  /** Stops listening, then lets go of what is stored; harmless when repeated. */
  readonly close: () => Promise<void>;
}

/**
 * Opens every listener on the ports of the options, else of the last time, else any; closes what there is when one
 * cannot be had. Until somebody serves them, they answer 503, or drop what is not HTTP.
 */
export async function openServers(
  options: EmulatorOptions,
  names: EmulatorNames,
  stamps: Stamps & { readonly clock: Clock },
  state: EmulatorState,
): Promise<EmulatorServers> {
  const open: Pick<Listening, 'close'>[] = [];
  let isExpiredShown = (_carrier: FaultCarrier): boolean => false;
  let closed: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    await Promise.all(open.map((server) => server.close()));
    state.close();
  };
  const close = (): Promise<void> => (closed ??= closeAll());
  try {
    const { credentials, expired, ...ca } = makeCredentials(
      names,
      options.caDirectory ?? options.dataDirectory,
    );
    const listen = async (port: number, maxBodyBytes: number): Promise<HttpsServer> => {
      const handler = createStartingHandler(stamps);
      const server = await startHttpsServer({
        bind: names.bind,
        port,
        credentials,
        substitute: () => (isExpiredShown('http') ? expired() : undefined),
        handler,
        maxBodyBytes,
        sleep: stamps.clock.sleep,
      });
      open.push(server);
      return server;
    };
    const service = await listen(options.httpPort ?? state.ports['http'] ?? 0, maxRequestBytes);
    const listenAsHub = async ({ port, ...hub }: HubOptions): Promise<HubServer> => {
      const server = await listen(port ?? state.ports[portName(hub.name)] ?? 0, maxEventBytes);
      const hostName = formatHostPort({ host: names.advertisedHost, port: server.port });
      return { server, linked: { ...hub, hostName } };
    };
    const listenForStreams = async (
      carrier: 'amqp' | 'mqtt',
      wanted = state.ports[carrier],
    ): Promise<TlsServer> => {
      const substitute = (): ServerCredentials | undefined =>
        isExpiredShown(carrier) ? expired() : undefined;
      const port = wanted ?? 0;
      const server = await startTlsServer({ bind: names.bind, port, credentials, substitute });
      open.push(server);
      return server;
    };
    const [firstHub, ...otherHubs] = hubsOf(options);
    const hubs: [HubServer, ...HubServer[]] = [await listenAsHub(firstHub)];
    for (const hub of otherHubs) hubs.push(await listenAsHub(hub));
    const amqp = await listenForStreams('amqp', options.amqpPort);
    const mqtt = await listenForStreams('mqtt', options.mqttPort);
    const hubPorts = hubs.map(({ linked, server }) => [portName(linked.name), server.port] as const);
    const ports = {
      http: service.port,
      amqp: amqp.port,
      mqtt: mqtt.port,
      ...Object.fromEntries(hubPorts),
    };
    state.rememberPorts({ ...state.ports, ...ports });
    return {
      service,
      hubs,
      amqp,
      mqtt,
      ca,
      showExpiredCertificate: (isShown) => {
        isExpiredShown = isShown;
      },
      alsoClose: (closeOther) => void open.push({ close: closeOther }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function hubsOf({ hubs, hubPort }: EmulatorOptions): readonly [HubOptions, ...HubOptions[]] {
  const [first = { name: 'hub' }, ...others] = hubs ?? [];
  return [hubPort === undefined ? first : { port: hubPort, ...first }, ...others];
}

function portName(hubName: string): string {
  return `hub ${hubName.toLowerCase()}`;
}

interface Credentials {
  readonly credentials: ServerCredentials;
  /** For the same names, of the same CA, and out of date; made when first asked for. */
  readonly expired: () => ServerCredentials;
  readonly caPem: string;
  readonly caFile?: string;
}

function makeCredentials({ hostnames }: EmulatorNames, caDirectory: string | undefined): Credentials {
  const now = Date.now();
  const names = toServerNames(hostnames);
  const { authority, ...file } =
    caDirectory === undefined
      ? { authority: createAuthority(now) }
      : openAuthorityDirectory(caDirectory, now);
  let expired: ServerCredentials | undefined;
  return {
    credentials: issueServerCertificate(authority, names, now),
    expired: () => (expired ??= issueExpiredServerCertificate(authority, names, now)),
    caPem: authority.certificatePem,
    ...('certificateFile' in file ? { caFile: file.certificateFile } : {}),
  };
}
