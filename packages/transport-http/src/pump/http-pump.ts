import type {
  PumpOutcome,
  PumpReply,
  PumpRequest,
  PumpTransport,
  PumpTransportOptions,
  PumpTransportProvider,
} from '@endorse/interface';
import { LocalProtocolError, TimeoutError } from '@endorse/interface';
import { formatHostPort, headerNames, parseHostPort } from '@endorse/protocol';
import { checkClientCertificate, checkConnectionOptions } from '@endorse/transport-socket';
import type { ConnectorSettings } from '@endorse/transport-socket/connector';
import type { EagerConnection } from '../connection.ts';
import { createConnection } from '../connection.ts';
import { exchange } from '../exchange.ts';
import type { HttpPumpOptions, HttpPumpSettings } from './pump-options.ts';
import { checkPumpOptions } from './pump-options.ts';

/**
 * Makes a provider of pump transports over HTTPS. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for an option.
 *
 * What a client asks for (trust anchors, a proxy) wins over what is given here. A connection that is lost between two
 * requests is made again; one that is lost in a request fails it.
 */
export function createHttpPump(options: HttpPumpOptions = {}): PumpTransportProvider {
  const settings = checkPumpOptions(options);
  return (target) => createPump(target, settings);
}

function createPump(target: PumpTransportOptions, settings: HttpPumpSettings): PumpTransport {
  const { host, port } = parseHostPort(target.host, { argument: 'options.host' });
  const origin = `https://${formatHostPort({ host, port }, { defaultPort: 443 })}`;
  const connectorSettings = resolveConnector(target, settings, { host, port });
  const { maxHeaderBytes } = settings;
  // One for each opening: saying goodbye takes its time, and must not hit the next registration.
  let connection = createConnection(origin, connectorSettings, { maxHeaderBytes });
  let due: (() => void)[] = [];
  let ending = new AbortController();
  let state: 'closed' | 'opening' | 'open' | 'busy' = 'closed';

  /** Keeps an end for the next `doWork()`, unless the pump is closed before. */
  const keep = <Value>(
    work: Promise<Value>,
    stateAfter: (isOk: boolean) => typeof state,
    onEnd: (outcome: PumpOutcome<Value>) => void,
  ): void => {
    const { signal } = ending;
    const end = (outcome: PumpOutcome<Value>): void => {
      if (signal.aborted) return;
      due.push(() => {
        state = stateAfter(outcome.ok);
        onEnd(outcome);
      });
    };
    work.then(
      (value) => end({ ok: true, value }),
      (error: Error) => end({ ok: false, error }),
    );
  };
  const refuse = <Value>(problem: string, onEnd: (outcome: PumpOutcome<Value>) => void): void => {
    const error = new LocalProtocolError('ERR_LOCAL_STATE', problem, { state });
    due.push(() => onEnd({ ok: false, error }));
  };

  return {
    specificationVersion: 'v1',
    open: (onOpened) => {
      if (state !== 'closed') {
        refuse('the pump is open already', onOpened);
        return;
      }
      state = 'opening';
      const connecting = connect(connection, origin, settings.connectTimeoutMs);
      keep(connecting, (isOk) => (isOk ? 'open' : 'closed'), onOpened);
    },
    send: (request, onReply) => {
      if (state !== 'open') {
        refuse(state === 'busy' ? 'another request is on its way' : 'the pump is not open', onReply);
        return;
      }
      state = 'busy';
      const sending = send(connection, { origin, request, settings, signal: ending.signal });
      keep(sending, () => 'open', onReply);
    },
    doWork: () => {
      // What these add waits for the next time.
      const now = due;
      due = [];
      for (const end of now) end();
    },
    close: () => {
      if (state === 'closed' && due.length === 0) return;
      due = [];
      state = 'closed';
      ending.abort(new LocalProtocolError('ERR_SESSION_CLOSED', 'the pump was closed', { state: 'closed' }));
      ending = new AbortController();
      // Bounded, and never rejects.
      void connection.close();
      connection = createConnection(origin, connectorSettings, { maxHeaderBytes });
    },
  };
}

/** What connections are made from. Throws `ERR_INVALID_ARGUMENT`. */
function resolveConnector(
  target: PumpTransportOptions,
  { connection }: HttpPumpSettings,
  { host, port }: { readonly host: string; readonly port: number },
): ConnectorSettings {
  const { trustedCertificatesPem, proxyUrl, clientCertificate } = target;
  const { ca, proxyCa, proxyFor } = checkConnectionOptions({
    ...connection,
    ...(trustedCertificatesPem === undefined ? {} : { ca: trustedCertificatesPem }),
    ...(proxyUrl === undefined ? {} : { proxyUrl, proxyFromEnvironment: false }),
  });
  const certificate = clientCertificate === undefined ? undefined : checkClientCertificate(clientCertificate);
  const proxy = proxyFor(host, port);
  return { host, port, proxy, ca, proxyCa, clientCertificate: certificate, alpnProtocols: ['http/1.1'] };
}

async function connect(connection: EagerConnection, origin: string, timeoutMs: number): Promise<undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const details = { deadlineMs: timeoutMs, state: 'connecting', retryable: true };
      reject(new TimeoutError(`no connection to ${origin} within ${timeoutMs} ms`, details));
      connection.drop();
    }, timeoutMs);
  });
  try {
    await Promise.race([connection.connect(), late]);
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

async function send(
  connection: EagerConnection,
  parts: {
    readonly origin: string;
    readonly request: PumpRequest;
    readonly settings: HttpPumpSettings;
    readonly signal: AbortSignal;
  },
): Promise<PumpReply> {
  const { origin, request, settings, signal } = parts;
  const headers = { [headerNames.userAgent]: settings.userAgent, ...request.headers };
  const attempted = `${request.method} ${request.target.split('?')[0] ?? ''}`;
  try {
    const dispatcher = await connection.dispatcher();
    const subject = { attempted, origin, request: { ...request, headers } };
    const { status, headers: answered, body } = await exchange(dispatcher, subject, settings, [signal]);
    return { status, headers: present(answered), body };
  } catch (error) {
    connection.drop();
    throw error;
  }
}

function present(headers: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
