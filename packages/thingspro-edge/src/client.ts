import { createConnection, formatAddress } from './connection.ts';
import type { GatewayCallOptions } from './calls/call.ts';
import type { GatewayClientOptions } from './options.ts';
import { checkOptions } from './options.ts';
import type { GatewaySession } from './session.ts';
import { createSession } from './session.ts';
import type { GatewayCredentials } from './sign-in.ts';
import { checkCredentials, createSignIn } from './sign-in.ts';

/** A gateway at an address, not yet signed in to. */
export interface GatewayClient {
  /** `host:port`. */
  readonly address: string;
  /**
   * Signs in once and opens a session, which the caller has to close. The password is sent only over a connection
   * whose certificate is trusted. Rejects with `ERR_PIN_UNKNOWN`, `ERR_PIN_MISMATCH`, `ERR_GATEWAY_SIGN_IN_REFUSED`,
   * `ERR_GATEWAY_LOCKED`, `ERR_GATEWAY_SESSION_LIMIT`, `ERR_TRANSPORT_…`, `ERR_TIMEOUT`.
   */
  signIn(credentials: GatewayCredentials, options?: GatewayCallOptions): Promise<GatewaySession>;
}

/** Prepares a client; nothing is sent. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` for options it cannot use. */
export function createGatewayClient(options: GatewayClientOptions): GatewayClient {
  const settings = checkOptions(options);
  const address = formatAddress(settings.host, settings.port);
  return {
    address,
    signIn: async (credentials, { signal } = {}) => {
      checkCredentials(credentials);
      signal?.throwIfAborted();
      // A connection of its own for each session: closing one must not disturb another.
      const connection = createConnection(settings);
      const signIn = createSignIn(connection, settings.family);
      try {
        const signedIn = await signIn(credentials, signal === undefined ? [] : [signal]);
        const { name, passwordNeverChanged } = signedIn.user;
        settings.logger.log('info', 'signed-in', { address, name, passwordNeverChanged });
        return createSession({ settings, connection, signIn, credentials, signedIn });
      } catch (error) {
        connection.drop();
        throw error;
      }
    },
  };
}
