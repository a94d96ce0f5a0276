import { InvalidArgumentError, Secret } from '@endorse/interface';
import { readAnswer } from './answer.ts';
import type { GatewayConnection } from './connection.ts';
import { GatewayError } from './errors.ts';
import type { GatewayFamily, GatewayProfile } from './profile.ts';
import { gatewayProfiles } from './profile.ts';
import { readObject, readOptionalText, readText } from './read-json.ts';

/** Whom to sign in as. */
export interface GatewayCredentials {
  /** Account name, 1 to 64 characters. */
  readonly name: string;
  /** Its password, 1 to 256 characters. */
  readonly password: Secret;
  /** Accepts the vendor's licence agreement in the operator's name, which a new gateway may ask for. Default false. */
  readonly acceptEula?: boolean | undefined;
}

/** The account that is signed in. */
export interface SignedInUser {
  readonly name: string;
  /** True when the password is still the one from the factory. */
  readonly passwordNeverChanged: boolean;
  /** True when the gateway wants another password before anything else. */
  readonly mustChangePassword: boolean;
}

/** What a sign-in brings. */
export interface SignedIn {
  readonly token: Secret;
  readonly user: SignedInUser;
  readonly profile: GatewayProfile;
}

/** Signs in once. */
export type SignIn = (credentials: GatewayCredentials, signals: readonly AbortSignal[]) => Promise<SignedIn>;

/**
 * Makes the function that signs in: one request, never repeated, because gateways count failures and lock the account.
 *
 * Rejects with `ERR_GATEWAY_SIGN_IN_REFUSED`, `ERR_GATEWAY_LOCKED`, `ERR_GATEWAY_SESSION_LIMIT`,
 * `ERR_GATEWAY_FORBIDDEN`, and the errors of the connection, `ERR_PIN_…` among them: then the password was not sent.
 */
export function createSignIn(connection: GatewayConnection, family: GatewayFamily | undefined): SignIn {
  return async (credentials, signals) => {
    const { name, password, acceptEula } = checkCredentials(credentials);
    const attempted = `sign in as ${name}`;
    const body = {
      name,
      password: password.revealText(),
      ...(acceptEula === true ? { acceptEULA: true } : {}),
    };
    const answer = await connection.send(
      attempted,
      { method: 'POST', path: '/auth', body },
      { token: undefined, signals },
    );
    if (answer.status === 401) throw refused(attempted);
    const data = readObject(readAnswer(attempted, answer, [password]), 'data');
    const user = readObject(data, 'user');
    // The families name the same fact differently, and that tells them apart.
    const told: GatewayFamily = 'passwordChangedAt' in user.fields ? 'aig-302' : 'aig-301';
    const changedAt = readOptionalText(user, told === 'aig-302' ? 'passwordChangedAt' : 'changedPasswordAt');
    return {
      token: checkToken(readText(data, 'token')),
      user: {
        name: readOptionalText(user, 'name') ?? name,
        passwordNeverChanged: changedAt === undefined,
        mustChangePassword: user.fields['flag'] === 'passwordMustChange',
      },
      profile: gatewayProfiles[family ?? told],
    };
  };
}

/** Checks credentials before any IO. Throws `ERR_INVALID_ARGUMENT` without showing them. */
export function checkCredentials(credentials: GatewayCredentials): GatewayCredentials {
  const { name, password } = credentials;
  if (typeof name !== 'string' || !/^[\x21-\x7e]{1,64}$/.test(name)) {
    throw new InvalidArgumentError('credentials.name', 'must have 1 to 64 printable ASCII characters');
  }
  if (typeof password?.revealText !== 'function' || password.byteLength < 1 || password.byteLength > 256) {
    throw new InvalidArgumentError('credentials.password', 'must be a Secret of 1 to 256 bytes');
  }
  return credentials;
}

/** The token is opaque; it only must fit into a header. */
function checkToken(token: string): Secret {
  if (/^[\x21-\x7e]{1,8192}$/.test(token)) return Secret.fromText(token);
  throw new GatewayError('ERR_GATEWAY_OTHER', 'sign in: the gateway issued a token that no header can hold', {
    status: 200,
  });
}

function refused(attempted: string): GatewayError {
  return new GatewayError(
    'ERR_GATEWAY_SIGN_IN_REFUSED',
    `${attempted}: the gateway refuses name or password`,
    {
      status: 401,
    },
  );
}
