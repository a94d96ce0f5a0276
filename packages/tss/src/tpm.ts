import { InvalidArgumentError, isEndorseError } from '@endorse/interface';
import type { EndorseError } from '@endorse/interface';
import { TpmDeviceError, createTpmExecutor } from '@endorse/security-tpm';
import type { TpmAddress, TpmDevice, TpmExecutor, TpmExecutorOptions } from '@endorse/security-tpm';
import { TpmDecodeError, TpmError as RefusalError, commands, handleKind } from '@endorse/tpm2';
import { authorize, knownNames, needsNames } from './authorize.ts';
import { toCommand } from './command.ts';
import type { TssCommand } from './command.ts';
import { GeneratedTpm, TPM_RC } from './generated/tssjs.mjs';
import type { Session } from './generated/tssjs.mjs';
import type { ReqStructure, RespStructure } from './generated/TpmStructure.mjs';
import { addPromiseForms } from './promise-forms.ts';
import type { TpmBuffer } from './tpm-buffer.ts';
import { TpmError } from './tpm-error.ts';
import { openTssDevice } from './tss-device.ts';
import type { TssDevice } from './tss-device.ts';

/** Where a {@link Tpm} finds its TPM: an address, an open device, or a device of tss.js's kind. */
export type TpmSource = string | TpmAddress | TpmDevice | TssDevice;

/** How a command ended. */
type Outcome = { readonly response: RespStructure | null } | { readonly error: EndorseError };

/** Commands that may wait for their turn. */
const maxWaiting = 1_000;

/**
 * A TPM with every command of TPM 2.0 as a method: the class of this name of tss.js, over devices of Endorse.
 *
 * A command returns a promise, or, with a continuation as its last argument, calls that back and returns nothing.
 * Commands are executed one at a time, in the order they were called; each gets its own answer.
 */
export class Tpm extends GeneratedTpm implements AsyncDisposable {
  /** The device of tss.js's kind in use, if one is; assign one before {@link Tpm.connect}. */
  device: TssDevice | undefined;
  readonly #source: Exclude<TpmSource, TssDevice> | undefined;
  readonly #options: TpmExecutorOptions;
  #executor: Promise<TpmExecutor> | undefined;
  #ownDevice: TpmDevice | undefined;
  #sessions: readonly Session[] = [];
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #outcome: Outcome = { response: null };
  #lastResponseCode: number = TPM_RC.NOT_USED;

  /**
   * Without arguments the TPM of this machine; with `true` a simulator that speaks mssim at `host` and `port`, as in
   * tss.js; else the given source. Connects with {@link Tpm.connect} or {@link Tpm.open}. Throws `ERR_INVALID_ARGUMENT`.
   */
  constructor(
    source: boolean | TpmSource = false,
    host = '127.0.0.1',
    port = 2321,
    options: TpmExecutorOptions = {},
  ) {
    super();
    this.#options = options;
    if (isTssDevice(source)) {
      this.device = source;
    } else if (typeof source === 'boolean') {
      this.#source = source
        ? { kind: 'mssim', host, port, platformPort: port + 1 }
        : { kind: process.platform === 'win32' ? 'tbs' : 'linux' };
    } else {
      this.#source = source;
    }
  }

  /**
   * Opens the device; harmless when it is open. Rejects with `ERR_TPM_UNREACHABLE`, `ERR_TPM_BUSY`,
   * `ERR_TPM_PERMISSION`, `ERR_TPM_TIMEOUT`, `ERR_TPM_IO`, or the reason of the signal it was made with.
   */
  async open(): Promise<void> {
    this.#executor ??= this.#openExecutor();
    try {
      await this.#executor;
    } catch (error) {
      this.#executor = undefined;
      throw error;
    }
  }

  /** Opens the device and calls back, with the error if there is one. */
  connect(continuation: (error?: EndorseError | null) => void): void {
    this.open().then(
      () => setImmediate(continuation, null),
      (error: unknown) => setImmediate(continuation, asEndorseError(error)),
    );
  }

  /** Lets the commands that were called end, then closes what {@link Tpm.open} opened. Never rejects. */
  async close(): Promise<void> {
    const executor = this.#executor;
    this.#executor = undefined;
    await this.#last;
    await executor?.then(
      (opened) => opened.close(),
      () => undefined,
    );
    await this.#ownDevice?.close();
    this.#ownDevice = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Response code of the command answered last, one of `TPM_RC`: 0 for success, `TSS_…` where there was no usable answer. */
  get lastResponseCode(): number {
    return this.#lastResponseCode;
  }

  override get lastError(): EndorseError | null {
    return 'error' in this.#outcome ? this.#outcome.error : null;
  }

  /** Uses a session for the next command. */
  withSession(session: Session): this {
    return this.withSessions(session);
  }

  /** Uses up to three sessions for the next command: one for each handle that needs one, then those that only encrypt. */
  withSessions(...sessions: readonly Session[]): this {
    if (sessions.length > 3) throw new InvalidArgumentError('sessions', 'must be at most 3');
    this.#sessions = sessions;
    return this;
  }

  /** For code written for tss.js; changes nothing: an error always goes to the continuation or the promise. */
  allowErrors(): this {
    return this;
  }

  /** For code written for tss.js; changes nothing: an error always goes to the continuation or the promise. */
  enableExceptions(_enable?: boolean): void {}

  protected override dispatchCommand(
    code: number,
    request: ReqStructure,
    respond: (response: TpmBuffer) => void,
  ): void {
    const sessions = this.#sessions;
    this.#sessions = [];
    const call = toCommand(code, request);
    const opened = this.#executor;
    if (this.#waiting >= maxWaiting) {
      throw new TpmDeviceError(
        'ERR_TPM_QUEUE_FULL',
        `${maxWaiting} commands are waiting for the TPM already`,
      );
    }
    this.#waiting += 1;
    this.#last = this.#last.then(async () => {
      const outcome = await execute(opened, call, sessions).then(
        (response) => ({ response }),
        (error: unknown) => ({ error: asEndorseError(error) }),
      );
      this.#waiting -= 1;
      this.#outcome = outcome;
      this.#lastResponseCode = 'error' in outcome ? responseCodeOf(outcome.error) : TPM_RC.SUCCESS;
      // Calls processResponse() and schedules the continuation, which must still find its own lastResponseCode.
      respond(undefined as unknown as TpmBuffer);
      await new Promise(setImmediate);
    });
  }

  protected override processResponse(): RespStructure | null {
    return 'error' in this.#outcome ? null : this.#outcome.response;
  }

  async #openExecutor(): Promise<TpmExecutor> {
    if (this.device !== undefined) this.#ownDevice = await openTssDevice(this.device);
    const source = this.#ownDevice ?? this.#source;
    if (source === undefined) throw new InvalidArgumentError('source', 'is missing');
    return createTpmExecutor(source, this.#options);
  }
}

addPromiseForms(Tpm.prototype, GeneratedTpm.prototype);

async function execute(
  opened: Promise<TpmExecutor> | undefined,
  call: TssCommand,
  sessions: readonly Session[],
): Promise<RespStructure | null> {
  if (opened === undefined) {
    throw new TpmDeviceError('ERR_TPM_CLOSED', 'the TPM is not connected', {
      remedy: 'Call connect() or open() first.',
    });
  }
  const executor = await opened;
  const uses = authorize(call, sessions);
  const names = needsNames(uses) ? await readNames(executor, call) : undefined;
  const authorizations = uses.map(({ authorization }) => authorization);
  const response = await executor.execute(call.command, undefined, { authorizations, names });
  for (const { settle } of uses) settle();
  return response;
}

/** HMACs cover the Names of objects. What is read here unprotected is covered by the HMAC that follows. */
async function readNames(
  executor: TpmExecutor,
  { handles }: TssCommand,
): Promise<ReadonlyMap<number, Uint8Array>> {
  const { names, unknown } = knownNames(handles);
  const complete = new Map(names);
  for (const handle of unknown) {
    if (handleKind(handle) === 'nv') {
      const { nvName } = await executor.execute(commands.NV_ReadPublic, { nvIndex: handle });
      complete.set(handle, nvName);
    } else {
      const { name } = await executor.execute(commands.ReadPublic, { objectHandle: handle });
      complete.set(handle, name);
    }
  }
  return complete;
}

function isTssDevice(source: unknown): source is TssDevice {
  return typeof source === 'object' && source !== null && 'dispatchCommand' in source;
}

function asEndorseError(error: unknown): EndorseError {
  if (error instanceof RefusalError) return TpmError.from(error);
  if (isEndorseError(error)) return error;
  return new TpmDeviceError('ERR_TPM_IO', 'the command could not be executed', { cause: error });
}

function responseCodeOf(error: EndorseError): number {
  if (error instanceof TpmError) return error.responseCode;
  return error instanceof TpmDecodeError ? TPM_RC.TSS_RESP_BUF_INVALID_SIZE : TPM_RC.TSS_DISPATCH_FAILED;
}
