import { InvalidArgumentError } from '@endorse/interface';
import type { RandomSource } from '@endorse/interface';
import { TpmError, commands, peekResponseCode } from '@endorse/tpm2';
import type { Command, CommandInfo } from '@endorse/tpm2';
import type { Authorization } from '../session/auth-session.ts';
import { prepareCommand } from '../session/authorize.ts';
import type { ObjectNames } from '../session/authorize.ts';
import { isFlushable } from './handle-ledger.ts';
import type { HandleLedger } from './handle-ledger.ts';
import { repeatable } from './submitter.ts';
import type { Submitter } from './submitter.ts';

/** Options of executing one command. */
export interface ExecuteOptions {
  /** One for each handle that needs it, in order, then sessions that only encrypt; default empty passwords. */
  readonly authorizations?: readonly Authorization[] | undefined;
  /** Names of the objects the command is about; needed with HMAC sessions. */
  readonly names?: ObjectNames | undefined;
  /**
   * Aborts: the promise then rejects with `signal.reason` at once. Before sending, nothing is sent; afterwards the
   * answer is awaited in the background, before any other command, and what it created is flushed.
   */
  readonly signal?: AbortSignal | undefined;
  /** Overrides the time-out of the command's class, in milliseconds from submission. */
  readonly timeoutMs?: number | undefined;
}

/** The TPM for oneself: no other command comes in between, and what is created inside does not outlive it. */
export interface TpmScope {
  /** Executes one command; see {@link ExecuteOptions}. Rejects with a `TpmError` when the TPM refuses. */
  execute<Request, Response>(
    command: Command<Request, Response>,
    request: Request,
    options?: ExecuteOptions,
  ): Promise<Response>;
  /** Flushes an object or a session now instead of at the end of the scope. */
  flush(handle: number): Promise<void>;
}

/** The ports a scope works with. */
export interface ScopePorts {
  readonly submitter: Submitter;
  readonly ledger: HandleLedger;
  readonly random: RandomSource;
}

/** A scope as the executor sees it. */
export class ExclusiveScope implements TpmScope {
  readonly #ports: ScopePorts;
  readonly #created = new Set<number>();
  /** Settles when everything that was sent has been answered. */
  #tail: Promise<unknown> = Promise.resolve();
  #ended = false;

  constructor(ports: ScopePorts) {
    this.#ports = ports;
  }

  execute<Request, Response>(
    command: Command<Request, Response>,
    request: Request,
    options: ExecuteOptions = {},
  ): Promise<Response> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      if (this.#ended) throw new InvalidArgumentError('scope', 'has ended');
      signal?.throwIfAborted();
      const onAbort = (): void => reject(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      const work = this.#tail.then(() => this.#perform(command, request, options));
      this.#tail = work.then(resolve, reject).finally(() => signal?.removeEventListener('abort', onAbort));
    });
  }

  async flush(handle: number): Promise<void> {
    await this.execute(commands.FlushContext, { flushHandle: handle });
  }

  /** Hands every handle that is still there to the caller of the scope. */
  release(): void {
    for (const handle of this.#created) this.#ports.ledger.handOut(handle);
    this.#created.clear();
  }

  /** Waits for what is in flight, then flushes what is left. Never rejects. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#tail;
    const left = [...this.#created].toReversed();
    this.#created.clear();
    for (const handle of left) this.#ports.ledger.addOrphan(handle);
    await this.#ports.submitter.cleanUp();
  }

  async #perform<Request, Response>(
    command: Command<Request, Response>,
    request: Request,
    options: ExecuteOptions,
  ): Promise<Response> {
    const { submitter, random } = this.#ports;
    options.signal?.throwIfAborted();
    const authorizations = options.authorizations ?? defaultAuthorizations(command);
    const names = options.names ?? noNames;
    const prepared = prepareCommand(command, request, { authorizations, names, random });
    try {
      const { signal, timeoutMs } = options;
      const response = await submitter.submit(command, prepared.frame, {
        signal,
        timeoutMs,
        inUse: this.#created,
      });
      // First of all: it is in the TPM, even if the rest of the response turns out to be forged.
      this.#noteCreated(command, response);
      const value = this.#open(command, response, prepared.open);
      this.#forgetEnded(command.code, prepared.frame, authorizations);
      return value;
    } finally {
      prepared.frame.fill(0);
    }
  }

  #open<Value>(command: CommandInfo, response: Uint8Array, open: (response: Uint8Array) => Value): Value {
    try {
      return open(response);
    } catch (error) {
      // What is wrong may be that the response, this one or an earlier one, was the answer to another command.
      if (!(error instanceof TpmError && repeatable.includes(command.name))) this.#ports.ledger.noteDoubt();
      throw error;
    }
  }

  #noteCreated(command: CommandInfo, response: Uint8Array): void {
    if (command.responseHandleCount === 0 || peekResponseCode(response) !== 0 || response.byteLength < 14)
      return;
    const handle = new DataView(response.buffer, response.byteOffset).getUint32(10);
    if (isFlushable(handle)) this.#created.add(handle);
  }

  /** The TPM itself lets go of a handle that was flushed, of a sequence that was completed, of a session's last use. */
  #forgetEnded(code: number, frame: Uint8Array, authorizations: readonly Authorization[]): void {
    if (code === commands.FlushContext.code || code === commands.SequenceComplete.code) {
      this.#forget(new DataView(frame.buffer, frame.byteOffset).getUint32(10));
    }
    for (const use of authorizations) {
      if (use.kind === 'session' && use.isLastUse === true) this.#forget(use.session.handle);
    }
  }

  #forget(handle: number): void {
    this.#created.delete(handle);
    this.#ports.ledger.forget(handle);
  }
}

const noNames: ObjectNames = new Map();

function defaultAuthorizations(command: Command<never, unknown>): Authorization[] {
  return Array.from({ length: command.authHandleCount }, () => ({
    kind: 'password',
    authValue: new Uint8Array(0),
  }));
}
