import type { Logger } from '@endorse/interface';
import { silentLogger } from '@endorse/interface';
import type { AuthenticatedDevice, RegistrationStore, RevocationWatcher } from '../store/index.ts';
import { watchRevocations } from '../store/index.ts';
import type { TopicRules } from './topics.ts';
import { seedTopics, topicsOf } from './topics.ts';

/** A client as aedes shows it: as much of it as is needed. */
export interface BrokerClient {
  readonly id: string;
  /** Ends the connection. */
  close(): void;
}

/** The three questions aedes asks; see {@link createAedesAuthenticator}. */
export interface AedesHandlers {
  readonly authenticate: (
    client: BrokerClient,
    username: string | undefined,
    password: Buffer | undefined,
    done: (error: (Error & { returnCode: number }) | null, success: boolean | null) => void,
  ) => void;
  readonly authorizePublish: (
    client: BrokerClient | null,
    packet: { readonly topic: string },
    callback: (error?: Error | null) => void,
  ) => void;
  readonly authorizeSubscribe: <Subscription extends { readonly topic: string }>(
    client: BrokerClient | null,
    subscription: Subscription,
    callback: (error: Error | null, subscription?: Subscription | null) => void,
  ) => void;
}

/** Handlers for one aedes broker, and what ends sessions. */
export interface AedesAuthenticator extends AsyncDisposable {
  /** Spread into `Aedes.createBroker({ … })`. */
  readonly handlers: AedesHandlers;
  /** Call on aedes' `clientDisconnect`, so that sessions that ended are forgotten. */
  forget(client: BrokerClient): void;
  /** Stops watching revocations; harmless when repeated. */
  stop(): Promise<void>;
}

/** Options of {@link createAedesAuthenticator}. */
export interface AedesAuthenticatorOptions {
  readonly store: RegistrationStore;
  /** Topics; default the seed's. */
  readonly topics?: TopicRules;
  /** How often sessions are checked against revocations of other processes, in milliseconds; default 1,000. */
  readonly intervalMs?: number;
  /** Default none. */
  readonly logger?: Logger;
}

/** MQTT 3.1.1, 3.2.2.3: bad user name or password; server unavailable. */
const badCredentials = 4;
const serverUnavailable = 3;

/**
 * Lets devices into an aedes broker with the credentials of a store: client id, access key and secret have to belong
 * together, each device has its own topics, and a session ends when its credential is revoked or rotated away.
 */
export function createAedesAuthenticator(options: AedesAuthenticatorOptions): AedesAuthenticator {
  const { store, topics = seedTopics, intervalMs = 1_000, logger = silentLogger } = options;
  const sessions = new Map<BrokerClient, AuthenticatedDevice>();
  const end = (accessKey: string): void => {
    for (const [client, device] of sessions) {
      if (device.accessKey !== accessKey) continue;
      sessions.delete(client);
      client.close();
    }
  };
  const watcher: RevocationWatcher = watchRevocations(store, {
    sessions: () => [...new Set([...sessions.values()].map(({ accessKey }) => accessKey))],
    onRevoked: end,
    intervalMs,
    logger,
  });
  const refusal = (returnCode: number): Error & { returnCode: number } =>
    Object.assign(new Error('refused'), { returnCode });

  const authenticate: AedesHandlers['authenticate'] = (client, username, password, done) => {
    const presented = {
      deviceId: client.id,
      accessKey: username ?? '',
      accessSecret: password?.toString('utf8') ?? '',
    };
    store.authenticate(presented).then(
      (device) => {
        if (device === undefined) {
          done(refusal(badCredentials), false);
          return;
        }
        sessions.set(client, device);
        done(null, true);
      },
      (error: unknown) => {
        logger.log('error', 'authentication-failed', {
          problem: error instanceof Error ? error.message : String(error),
        });
        done(refusal(serverUnavailable), false);
      },
    );
  };
  const ownTopics = (client: BrokerClient | null): TopicRules | undefined => {
    const device = client === null ? undefined : sessions.get(client);
    return device === undefined ? undefined : topicsOf(topics, device.deviceId);
  };
  return {
    handlers: {
      authenticate,
      authorizePublish: (client, { topic }, callback) => {
        // What the broker itself publishes comes without a client.
        const allowed = client === null || (ownTopics(client)?.publish.includes(topic) ?? false);
        callback(allowed ? null : new Error('not a topic of this device'));
      },
      authorizeSubscribe: (client, subscription, callback) => {
        const allowed = ownTopics(client)?.subscribe.includes(subscription.topic) ?? false;
        callback(null, allowed ? subscription : null);
      },
    },
    forget: (client) => void sessions.delete(client),
    stop: () => watcher.stop(),
    [Symbol.asyncDispose]: () => watcher.stop(),
  };
}
