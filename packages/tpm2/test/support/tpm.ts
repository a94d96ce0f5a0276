import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { AuthorizationCommand, Command, PublicArea } from '@endorse/tpm2';
import { commands, decodeResponse, encodeCommand, passwordAuthorization, rh } from '@endorse/tpm2';

/** A bare connection to a simulator: one command, one answer, no retry. */
export interface Tpm extends AsyncDisposable {
  /** Sends bytes, resolves with the whole answer. */
  transmit(frame: Uint8Array): Promise<Uint8Array>;
  /** Sends a command with clear parameters and decodes its answer. */
  execute<Request, Response>(
    command: Command<Request, Response>,
    request: Request,
    authorizations?: readonly AuthorizationCommand[],
  ): Promise<Response>;
}

/** Connects to `swtpm+unix:///path`. Close it before another program needs the TPM: it serves one client at a time. */
export async function openTpm(address: string): Promise<Tpm> {
  const socket = connect(address.replace('swtpm+unix://', ''));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject);
  });
  const transmit = (frame: Uint8Array): Promise<Uint8Array> => exchange(socket, frame);
  return {
    transmit,
    execute: async (command, request, authorizations = []) => {
      const answer = await transmit(encodeCommand(command, request, authorizations));
      const frame = decodeResponse(command, answer, authorizations.length);
      return command.decodeResponse(frame.handles, frame.parameters);
    },
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        socket.once('close', () => resolve()).destroy();
      }),
  };
}

/** The empty password. */
export const password: AuthorizationCommand = passwordAuthorization();

/** Makes a primary key with empty authorization values. */
export async function primary(
  tpm: Tpm,
  primaryHandle: number,
  inPublic: PublicArea,
): Promise<{ objectHandle: number; outPublic: PublicArea; name: Uint8Array }> {
  return await tpm.execute(commands.CreatePrimary, { primaryHandle, inPublic }, [password]);
}

/** Starts a policy session that satisfies the policy of an endorsement key. */
export async function endorsementPolicySession(tpm: Tpm): Promise<AuthorizationCommand> {
  const { sessionHandle } = await tpm.execute(commands.StartAuthSession, {
    nonceCaller: new Uint8Array(16),
    sessionType: 'policy',
    authHash: 'sha256',
  });
  const request = { authHandle: rh.endorsement, policySession: sessionHandle };
  await tpm.execute(commands.PolicySecret, request, [password]);
  return { ...password, sessionHandle, sessionAttributes: 0 };
}

function exchange(socket: Socket, frame: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0);
    const finish = (): void => {
      socket.off('data', onData).off('error', onError).off('close', onClose);
    };
    const onData = (chunk: Buffer): void => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.byteLength < 6 || answer.byteLength < answer.readUInt32BE(2)) return;
      finish();
      resolve(new Uint8Array(answer));
    };
    const onError = (error: Error): void => {
      finish();
      reject(error);
    };
    const onClose = (): void => onError(new Error('the simulator closed the connection'));
    socket.on('data', onData).on('error', onError).on('close', onClose);
    socket.write(frame);
  });
}
