/**
 * A request with its authorizations as bytes, and the response checked and decrypted (Part 1, 18 and 19).
 *
 * The order matters: the parameter is encrypted first, then the command is hashed, then each session signs that hash.
 * On the way back the HMAC is verified before anything of the response is looked at.
 */
import { InvalidArgumentError } from '@endorse/interface';
import type { RandomSource } from '@endorse/interface';
import {
  computeCommandHmac,
  cpHash,
  decodeResponse,
  decryptFirstParameter,
  encodeCommandFrame,
  encryptFirstParameter,
  handleKind,
  handleName,
  passwordAuthorization,
  rpHash,
  sessionAttributes,
  verifyResponseHmac,
} from '@endorse/tpm2';
import type { AuthorizationCommand, AuthorizationResponse, Command } from '@endorse/tpm2';
import { TpmResponseForgedError } from '../errors.ts';
import type { AuthSession, Authorization } from './auth-session.ts';

/** Names of the objects a command is about, by handle; hierarchies and sessions name themselves. */
export type ObjectNames = ReadonlyMap<number, Uint8Array>;

/** Options of {@link prepareCommand}. */
export interface PrepareOptions {
  readonly authorizations: readonly Authorization[];
  readonly names: ObjectNames;
  readonly random: RandomSource;
}

/** A command that is ready to be sent, any number of times as long as no answer but a retry comes. */
export interface PreparedCommand<Response> {
  readonly frame: Uint8Array;
  /**
   * Checks, decrypts and decodes the response. Throws `TpmError` for an error response, `ERR_TPM_MALFORMED`, and
   * `ERR_TPM_RESPONSE_FORGED` when an HMAC is wrong.
   */
  open(response: Uint8Array): Response;
}

type SessionUse = Extract<Authorization, { readonly kind: 'session' }>;

/** What of one authorization has to be remembered until the response. */
interface Turn {
  readonly use: Authorization;
  readonly nonceCaller: Uint8Array;
}

/** Encodes a request with its authorizations. Throws `ERR_INVALID_ARGUMENT` for authorizations that do not fit. */
export function prepareCommand<Request, Response>(
  command: Command<Request, Response>,
  request: Request,
  options: PrepareOptions,
): PreparedCommand<Response> {
  const { authorizations, names, random } = options;
  if (authorizations.length < command.authHandleCount) {
    throw new InvalidArgumentError(
      'authorizations',
      `must be ${command.authHandleCount} for ${command.name}`,
    );
  }
  const handles = command.encodeHandles(request);
  const turns = authorizations.map((use): Turn => ({ use, nonceCaller: freshNonce(use, random) }));
  const decrypting = turns.find(({ use }) => use.kind === 'session' && use.encryptCommand === true);
  const encrypting = turns.find(({ use }) => use.kind === 'session' && use.encryptResponse === true);
  const clear = command.encodeParameters(request);
  const parameters = decrypting === undefined ? clear : encryptFirstParameter(commandKeys(decrypting), clear);
  if (decrypting !== undefined) clear.fill(0);
  const sessions = turns.map((turn, index) =>
    encodeTurn(turn, {
      commandHash: () =>
        cpHash({
          hash: hashOf(turn.use),
          commandCode: command.code,
          names: namesOf(handles, names),
          parameters,
        }),
      decryptNonceTpm: index === 0 ? otherNonce(turn, decrypting) : undefined,
      // A session that does both counts once.
      encryptNonceTpm: index === 0 && encrypting !== decrypting ? otherNonce(turn, encrypting) : undefined,
    }),
  );
  const frame = encodeCommandFrame({
    commandCode: command.code,
    handles,
    authorizations: sessions,
    parameters,
  });
  return {
    frame,
    open: (bytes) => {
      const response = decodeResponse(command, bytes, turns.length);
      turns.forEach((turn, index) =>
        verifyTurn(turn, response.authorizations[index], command, response.parameters),
      );
      const plain =
        encrypting === undefined
          ? response.parameters
          : decryptFirstParameter(responseKeys(encrypting), response.parameters);
      const value = command.decodeResponse(response.handles, plain);
      if (encrypting !== undefined) plain.fill(0);
      return value;
    },
  };
}

interface TurnContext {
  commandHash(): Uint8Array;
  readonly decryptNonceTpm: Uint8Array | undefined;
  readonly encryptNonceTpm: Uint8Array | undefined;
}

function encodeTurn({ use, nonceCaller }: Turn, context: TurnContext): AuthorizationCommand {
  if (use.kind === 'password') return passwordAuthorization(use.authValue);
  const { session, authValue } = use;
  const attributes = attributesOf(use);
  const { decryptNonceTpm, encryptNonceTpm } = context;
  const hmac = isUnkeyed(use)
    ? new Uint8Array(0)
    : computeCommandHmac({
        hash: session.hash,
        sessionKey: session.sessionKey,
        authValue,
        cpHash: context.commandHash(),
        nonceCaller,
        nonceTpm: session.nonceTpm,
        ...(decryptNonceTpm === undefined ? {} : { decryptNonceTpm }),
        ...(encryptNonceTpm === undefined ? {} : { encryptNonceTpm }),
        sessionAttributes: attributes,
      });
  return { sessionHandle: session.handle, nonceCaller, sessionAttributes: attributes, hmac };
}

function verifyTurn(
  { use, nonceCaller }: Turn,
  answer: AuthorizationResponse | undefined,
  command: Command<never, unknown>,
  parameters: Uint8Array,
): void {
  if (use.kind === 'password') return;
  const { session, authValue } = use;
  if (answer === undefined) throw new TpmResponseForgedError(command.name);
  const genuine = isUnkeyed(use)
    ? answer.hmac.byteLength === 0
    : verifyResponseHmac({
        hash: session.hash,
        sessionKey: session.sessionKey,
        authValue,
        rpHash: rpHash({ hash: session.hash, commandCode: command.code, parameters }),
        nonceTpm: answer.nonceTpm,
        nonceCaller,
        sessionAttributes: answer.sessionAttributes,
        hmac: answer.hmac,
      });
  if (!genuine) throw new TpmResponseForgedError(command.name);
  session.nonceTpm = answer.nonceTpm;
}

/** A policy session without salt has no key: its HMAC is empty both ways. */
function isUnkeyed({ session, authValue }: SessionUse): boolean {
  return session.kind === 'policy' && session.sessionKey.byteLength === 0 && authValue.byteLength === 0;
}

function attributesOf(use: SessionUse): number {
  return (
    (use.isLastUse === true ? 0 : sessionAttributes.continueSession) |
    (use.encryptCommand === true ? sessionAttributes.decrypt : 0) |
    (use.encryptResponse === true ? sessionAttributes.encrypt : 0)
  );
}

function freshNonce(use: Authorization, random: RandomSource): Uint8Array {
  return use.kind === 'password' ? new Uint8Array(0) : random.bytes(use.session.nonceTpm.byteLength);
}

function otherNonce(first: Turn, other: Turn | undefined): Uint8Array | undefined {
  return other === undefined || other === first || other.use.kind !== 'session'
    ? undefined
    : other.use.session.nonceTpm;
}

type ParameterKeys = Parameters<typeof encryptFirstParameter>[0];

function commandKeys({ use, nonceCaller }: Turn): ParameterKeys {
  const { session, authValue } = requireCipher(use);
  return { ...keysOf(session), authValue, nonceNewer: nonceCaller, nonceOlder: session.nonceTpm };
}

/** After the response was verified: by then the session holds the nonce that came with it. */
function responseKeys({ use, nonceCaller }: Turn): ParameterKeys {
  const { session, authValue } = requireCipher(use);
  return { ...keysOf(session), authValue, nonceNewer: session.nonceTpm, nonceOlder: nonceCaller };
}

function keysOf(session: AuthSession): Pick<ParameterKeys, 'hash' | 'sessionKey' | 'symmetric'> {
  const { hash, sessionKey, symmetric } = session;
  if (symmetric === null)
    throw new InvalidArgumentError('authorizations', 'encrypt with a session without cipher');
  return { hash, sessionKey, symmetric };
}

function requireCipher(use: Authorization): SessionUse {
  if (use.kind !== 'session') throw new InvalidArgumentError('authorizations', 'encrypt with a password');
  return use;
}

function hashOf(use: Authorization): AuthSession['hash'] {
  return use.kind === 'session' ? use.session.hash : 'sha256';
}

function namesOf(handles: readonly number[], names: ObjectNames): Uint8Array[] {
  return handles.map((handle) => {
    const known = names.get(handle);
    if (known !== undefined) return known;
    if (['transient', 'persistent', 'nv'].includes(handleKind(handle))) {
      throw new InvalidArgumentError('names', `must hold the Name of 0x${handle.toString(16)}`);
    }
    return handleName(handle);
  });
}
