/** How the sessions of a command, as tss.js has them, authorise it in the executor's terms. */
import { InvalidArgumentError } from '@endorse/interface';
import type { Authorization, ObjectNames } from '@endorse/security-tpm';
import { handleKind, rh, sessionAttributes } from '@endorse/tpm2';
import type { Session, TPM_HANDLE } from './generated/tssjs.mjs';
import { HmacSession } from './hmac-session.ts';
import type { TssCommand } from './command.ts';

const nothing = new Uint8Array(0);

/** One authorization, and what has to be done with its session once the command succeeded. */
export interface SessionUse {
  readonly authorization: Authorization;
  /** Notes the TPM's new nonce where the owner of the session looks for it. */
  readonly settle: () => void;
}

/**
 * The authorizations of a command: one for each handle that needs one (the password in `authValue` where no session was
 * given), then the sessions that only encrypt. Throws `ERR_INVALID_ARGUMENT` for a session the executor cannot follow.
 */
export function authorize(
  { command, authHandles }: TssCommand,
  sessions: readonly (Session | null | undefined)[],
): SessionUse[] {
  const count = Math.max(sessions.length, authHandles.length);
  return Array.from({ length: count }, (_, index) => {
    const authValue = authHandles[index]?.authValue ?? nothing;
    const session = sessions[index];
    if (session === null || session === undefined) return password(authValue);
    return session instanceof HmacSession
      ? protectedUse(session, authValue, command)
      : plainUse(session, authValue);
  });
}

/** True when a command needs the Names of its objects: an HMAC covers them. */
export function needsNames(uses: readonly SessionUse[]): boolean {
  return uses.some(
    ({ authorization }) => authorization.kind === 'session' && authorization.session.kind === 'hmac',
  );
}

/** The Names known from the handles themselves, and the handles whose Name has to be read. */
export function knownNames(handles: readonly (TPM_HANDLE | null)[]): {
  readonly names: ObjectNames;
  readonly unknown: readonly number[];
} {
  const names = new Map<number, Uint8Array>();
  const unknown: number[] = [];
  for (const entry of handles) {
    if (entry === null || !['transient', 'persistent', 'nv'].includes(handleKind(entry.handle >>> 0)))
      continue;
    const name = entry.name as Buffer | null | undefined;
    if (name === null || name === undefined) unknown.push(entry.handle >>> 0);
    else names.set(entry.handle >>> 0, name);
  }
  return { names, unknown };
}

function password(authValue: Uint8Array): SessionUse {
  return { authorization: { kind: 'password', authValue }, settle: () => undefined };
}

function protectedUse(
  session: HmacSession,
  authValue: Uint8Array,
  command: TssCommand['command'],
): SessionUse {
  return {
    authorization: {
      kind: 'session',
      session: session.state,
      authValue,
      encryptCommand: session.encryptCommand && command.firstParameterIsTpm2b,
      encryptResponse: session.encryptResponse && command.firstResponseParameterIsTpm2b,
      isLastUse: isLastUse(session),
    },
    settle: () => {
      session.SessOut.nonce = Buffer.from(session.state.nonceTpm);
    },
  };
}

/** A session without a key of its own: a password, a policy session, or an HMAC session started by hand. */
function plainUse(session: Session, authValue: Uint8Array): SessionUse {
  const { SessIn, SessOut } = session;
  const handle = SessIn.sessionHandle.handle >>> 0;
  const hmac = SessIn.hmac as Buffer | null;
  if (handle === rh.pw) return password(hmac ?? nothing);
  const supported = sessionAttributes.continueSession;
  if ((SessIn.sessionAttributes & ~supported) !== 0 || (hmac !== null && hmac.length > 0)) {
    throw new InvalidArgumentError(
      'session',
      'asks for audit, encryption or an HMAC made by hand; start it with startHmacSession()',
    );
  }
  const kind = handleKind(handle) === 'policySession' ? 'policy' : 'hmac';
  const state = {
    kind,
    handle,
    hash: 'sha256',
    sessionKey: nothing,
    symmetric: null,
    nonceTpm: (SessOut.nonce as Buffer | null) ?? nothing,
  } as const;
  const tracked = { ...state, nonceTpm: state.nonceTpm as Uint8Array };
  return {
    authorization: {
      kind: 'session',
      session: tracked,
      authValue: kind === 'policy' ? nothing : authValue,
      isLastUse: isLastUse(session),
    },
    settle: () => {
      SessOut.nonce = Buffer.from(tracked.nonceTpm);
    },
  };
}

function isLastUse({ SessIn }: Session): boolean {
  return (SessIn.sessionAttributes & sessionAttributes.continueSession) === 0;
}
