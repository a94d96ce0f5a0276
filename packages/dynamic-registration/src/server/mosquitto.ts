import type { Clock, EndorseErrorOptions } from '@endorse/interface';
import { EndorseError } from '@endorse/interface';
import { systemClock } from '@endorse/interface/node';
import type { IssuedCredential, RegistrationStore } from '../store/index.ts';
import type { TopicRules } from './topics.ts';
import { seedTopics, topicsOf } from './topics.ts';

/** A connection to the broker as its administrator; a client of the package `mqtt` fits. */
export interface MosquittoConnection {
  /** Sends a message. */
  publishAsync(topic: string, message: string, options: { readonly qos: 1 }): Promise<unknown>;
  /** Hears a topic. */
  subscribeAsync(topic: string, options: { readonly qos: 1 }): Promise<unknown>;
  /** Calls the listener with every message. */
  on(event: 'message', listener: (topic: string, payload: Uint8Array) => void): unknown;
  /** Takes the listener away. */
  off(event: 'message', listener: (topic: string, payload: Uint8Array) => void): unknown;
}

/** The broker did not do what it was asked: `ERR_BROKER_REFUSED`, or did not answer: `ERR_BROKER_SILENT`. */
export class BrokerError extends EndorseError {
  readonly fault = 'peer';
  readonly retryable: boolean;
  readonly code: 'ERR_BROKER_REFUSED' | 'ERR_BROKER_SILENT';

  constructor(
    code: 'ERR_BROKER_REFUSED' | 'ERR_BROKER_SILENT',
    message: string,
    options: EndorseErrorOptions = {},
  ) {
    super(message, options);
    this.code = code;
    // A broker that is away or restarting comes back, and the registration with it.
    this.retryable = code === 'ERR_BROKER_SILENT';
  }
}

/** Keeps the clients of a Mosquitto with its dynamic security plugin in step with a store. */
export interface MosquittoDirectory extends AsyncDisposable {
  /** Adds or replaces a client: for `onIssued` of the store. Rejects with {@link BrokerError}. */
  add(credential: IssuedCredential): Promise<void>;
  /** Removes a client, which ends its session. Rejects with {@link BrokerError}. */
  remove(accessKey: string): Promise<void>;
  /** Removes every client of ours whose credential is not live: after a time in which the broker, or we, were away. Resolves with how many. */
  reconcile(store: RegistrationStore): Promise<number>;
  /** Removes clients as this process revokes their credentials; returns how to stop. A failure is made good by `reconcile`. */
  follow(store: RegistrationStore): () => void;
  /** Stops listening to the broker's answers. */
  close(): Promise<void>;
}

const controlTopic = '$CONTROL/dynamic-security/v1';
const responseTopic = `${controlTopic}/response`;

/** How long the broker may take to answer, in milliseconds. */
const answerTimeoutMs = 5_000;

/** Marks clients that are ours, so that nobody else's are touched. */
const ownClient = 'endorse device';

interface DynsecResponse {
  readonly correlationData: string;
  readonly error: string | undefined;
  readonly clients: readonly unknown[];
}

/**
 * Speaks to the dynamic security plugin of Mosquitto 2 (mosquitto_dynamic_security(8)) over an administrator's
 * connection. A client is bound to its client id; its role holds the topics of its device and nothing else.
 */
export async function createMosquittoDirectory(
  connection: MosquittoConnection,
  options: { readonly topics?: TopicRules; readonly clock?: Clock } = {},
): Promise<MosquittoDirectory> {
  const { topics = seedTopics, clock = systemClock } = options;
  const waiting = new Map<string, (response: DynsecResponse) => void>();
  let counter = 0;
  const onMessage = (topic: string, payload: Uint8Array): void => {
    if (topic !== responseTopic) return;
    for (const response of parseResponses(payload)) {
      waiting.get(response.correlationData)?.(response);
      waiting.delete(response.correlationData);
    }
  };
  connection.on('message', onMessage);
  await connection.subscribeAsync(responseTopic, { qos: 1 });

  const call = async (
    command: Readonly<Record<string, unknown>>,
    harmless: RegExp = /^$/,
  ): Promise<DynsecResponse> => {
    counter += 1;
    const correlationData = `endorse-${process.pid}-${counter}`;
    const answered = new AbortController();
    const answer = new Promise<DynsecResponse>((resolve) => waiting.set(correlationData, resolve));
    const late = clock.sleep(answerTimeoutMs, answered.signal).then(
      () => undefined,
      () => undefined,
    );
    try {
      const message = JSON.stringify({ commands: [{ ...command, correlationData }] });
      const sent = connection.publishAsync(controlTopic, message, { qos: 1 });
      const away = (cause: unknown): never => {
        throw new BrokerError('ERR_BROKER_SILENT', 'the broker cannot be reached', { cause });
      };
      const response = await Promise.race([sent.then(() => answer, away), late]);
      if (response === undefined)
        throw new BrokerError('ERR_BROKER_SILENT', 'the broker did not answer in 5 s');
      const { error } = response;
      if (error !== undefined && !harmless.test(error)) {
        throw new BrokerError(
          'ERR_BROKER_REFUSED',
          `the broker refused ${String(command['command'])}: ${error}`,
        );
      }
      return response;
    } finally {
      answered.abort();
      waiting.delete(correlationData);
    }
  };

  const remove = async (accessKey: string): Promise<void> => {
    await call({ command: 'deleteClient', username: accessKey }, /not found/i);
  };
  const add = async ({ deviceId, accessKey, accessSecret }: IssuedCredential): Promise<void> => {
    const rolename = `device-${deviceId}`;
    const own = topicsOf(topics, deviceId);
    await call({ command: 'createRole', rolename, acls: aclsOf(own) }, /exists/i);
    // An earlier attempt may have left the client with another secret.
    await remove(accessKey);
    await call({
      command: 'createClient',
      username: accessKey,
      password: accessSecret.revealText(),
      clientid: deviceId,
      textname: ownClient,
      roles: [{ rolename }],
    });
  };
  return {
    add,
    remove,
    async reconcile(store) {
      const { clients } = await call({ command: 'listClients', verbose: true, count: -1, offset: 0 });
      const ours = clients.filter(isOwnClient).map(({ username }) => username);
      const revoked = await store.findRevoked(ours);
      for (const accessKey of revoked) await remove(accessKey);
      return revoked.length;
    },
    follow: (store) => store.onRevoked(({ accessKey }) => void remove(accessKey).catch(() => undefined)),
    close: async () => void connection.off('message', onMessage),
    [Symbol.asyncDispose]: async () => void connection.off('message', onMessage),
  };
}

function aclsOf({ publish, subscribe }: TopicRules): readonly Readonly<Record<string, unknown>>[] {
  const allow = (acltype: string) => (topic: string) => ({ acltype, topic, priority: 0, allow: true });
  return [
    ...publish.map(allow('publishClientSend')),
    ...subscribe.map(allow('subscribeLiteral')),
    ...subscribe.map(allow('publishClientReceive')),
    ...subscribe.map(allow('unsubscribeLiteral')),
  ];
}

function isOwnClient(client: unknown): client is { readonly username: string } {
  const { username, textname } = membersOf(client);
  return typeof username === 'string' && textname === ownClient;
}

/** The usable responses in a message; others are nobody's answer. */
function parseResponses(payload: Uint8Array): readonly DynsecResponse[] {
  let message: unknown;
  try {
    message = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return [];
  }
  const { responses } = membersOf(message);
  if (!Array.isArray(responses)) return [];
  return responses.flatMap((response: unknown) => {
    const { correlationData, error, data } = membersOf(response);
    if (typeof correlationData !== 'string') return [];
    const { clients } = membersOf(data);
    return [
      {
        correlationData,
        error: typeof error === 'string' || error === undefined ? error : JSON.stringify(error),
        clients: Array.isArray(clients) ? (clients as readonly unknown[]) : [],
      },
    ];
  });
}

/** The members of an object; none of anything else. */
function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
