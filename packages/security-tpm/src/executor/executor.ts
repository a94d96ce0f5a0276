import { InvalidArgumentError, silentLogger } from '@endorse/interface';
import type { Clock, Logger, RandomSource } from '@endorse/interface';
import { systemClock, systemRandom } from '@endorse/interface/node';
import type { Command } from '@endorse/tpm2';
import { settleOrAbort } from '../async/settle-or-abort.ts';
import type { TpmAddress } from '../device/address.ts';
import { openTpmDevice } from '../device/open-device.ts';
import type { OpenTpmDeviceOptions } from '../device/open-options.ts';
import type { TpmDevice, TpmDeviceInfo } from '../device/tpm-device.ts';
import { TpmDeviceError } from '../errors.ts';
import { TpmConnection } from './connection.ts';
import type { ConnectTpmDevice } from './connection.ts';
import { HandleLedger } from './handle-ledger.ts';
import { FifoQueue } from './queue.ts';
import type { TpmRetryPolicy } from './retry-policy.ts';
import { ExclusiveScope } from './scope.ts';
import type { ExecuteOptions, ScopePorts, TpmScope } from './scope.ts';
import { Submitter } from './submitter.ts';
import type { TpmTraceListener } from './trace.ts';

/** Options of {@link createTpmExecutor}. */
export interface TpmExecutorOptions {
  /** What is tried again, and how long. */
  readonly retry?: TpmRetryPolicy | undefined;
  /** Multiplies every command's time-out: more for a slow chip, less for a simulator. 0.001 to 100, default 1. */
  readonly timeoutFactor?: number | undefined;
  /** How many operations may wait for their turn; 1 to 10,000, default 64. */
  readonly maxWaiting?: number | undefined;
  /** How long an operation may wait for its turn, in milliseconds; default 600,000. */
  readonly queueTimeoutMs?: number | undefined;
  /** Hears of every command that was sent. */
  readonly onTrace?: TpmTraceListener | undefined;
  /** Hears what went wrong without being an error: retries, lost connections, postponed cleaning. Default silent. */
  readonly logger?: Logger | undefined;
  /** Default the system's clock. */
  readonly clock?: Clock | undefined;
  /** Source of session nonces and salts; default the system's. */
  readonly random?: RandomSource | undefined;
  /** How the device at an address is opened. */
  readonly device?: Omit<OpenTpmDeviceOptions, 'signal'> | undefined;
  /** Aborts the opening of the device. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link TpmExecutor.exclusive}. */
export interface ExclusiveOptions {
  /**
   * Leaves the queue, and is handed to nobody else: give it to the commands inside yourself. Once aborted, the promise
   * settles when the section has, cleaning included, but after `abortGraceMs` at the latest; cleaning then goes on.
   */
  readonly signal?: AbortSignal | undefined;
  /** Default 2000 milliseconds. */
  readonly abortGraceMs?: number | undefined;
}

/** Executes commands on one TPM: one at a time, in order, within bounds, and nothing stays loaded. */
export interface TpmExecutor extends AsyncDisposable {
  /** About the device. */
  readonly info: TpmDeviceInfo;
  /** Where session nonces and salts come from. */
  readonly random: RandomSource;
  /**
   * Executes one command; see {@link ExecuteOptions}. A handle it creates belongs to the caller, who flushes it.
   *
   * Rejects with a `TpmError` when the TPM refuses, a `TpmDeviceError` when it cannot be reached or does not answer,
   * `ERR_TPM_QUEUE_FULL`, or the reason of the signal.
   */
  execute<Request, Response>(
    command: Command<Request, Response>,
    request: Request,
    options?: ExecuteOptions,
  ): Promise<Response>;
  /**
   * Runs a section with the TPM for itself. Objects and sessions created inside are flushed at its end, however it
   * ends. Do not use the executor itself inside: it would wait for the section.
   */
  exclusive<T>(section: (scope: TpmScope) => Promise<T>, options?: ExclusiveOptions): Promise<T>;
  /** Lets the running section end, fails those that wait, and closes the device. Bounded in time, never rejects. */
  close(): Promise<void>;
}

const defaultMaxWaiting = 64;
const defaultQueueTimeoutMs = 600_000;
const defaultAbortGraceMs = 2000;
/** How long closing waits for the section that is running, in milliseconds. */
const closeGraceMs = 5000;

/**
 * Opens a TPM and makes an executor for it.
 *
 * An address or a connect function is opened again after a loss, and closed by {@link TpmExecutor.close}; a device
 * stays its owner's, and its loss is final. Rejects as `openTpmDevice` does, and with `ERR_OUT_OF_RANGE`.
 */
export async function createTpmExecutor(
  source: string | TpmAddress | TpmDevice | ConnectTpmDevice,
  options: TpmExecutorOptions = {},
): Promise<TpmExecutor> {
  checkOptions(options);
  const { clock = systemClock, logger = silentLogger, random = systemRandom } = options;
  const connect = connectOf(source, options);
  const device = connect === undefined ? (source as TpmDevice) : await connect(options.signal);
  const connection = new TpmConnection(device, connect, clock);
  const ledger = new HandleLedger(device.info.resourceManaged);
  const submitter = new Submitter({
    connection,
    ledger,
    clock,
    logger,
    retry: options.retry ?? {},
    timeoutFactor: options.timeoutFactor ?? 1,
    onTrace: options.onTrace,
  });
  return new QueuedExecutor(connection, { submitter, ledger, random }, options);
}

class QueuedExecutor implements TpmExecutor {
  readonly info: TpmDeviceInfo;
  readonly random: RandomSource;
  readonly #connection: TpmConnection;
  readonly #ports: ScopePorts;
  readonly #queue: FifoQueue;
  readonly #queueTimeoutMs: number;
  #closing: Promise<void> | undefined;

  constructor(connection: TpmConnection, ports: ScopePorts, options: TpmExecutorOptions) {
    this.info = connection.info;
    this.random = ports.random;
    this.#connection = connection;
    this.#ports = ports;
    this.#queue = new FifoQueue(options.maxWaiting ?? defaultMaxWaiting);
    this.#queueTimeoutMs = options.queueTimeoutMs ?? defaultQueueTimeoutMs;
  }

  execute<Request, Response>(
    command: Command<Request, Response>,
    request: Request,
    options: ExecuteOptions = {},
  ): Promise<Response> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      let abandoned = false;
      const onAbort = (): void => {
        abandoned = true;
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const work = this.#inScope(async (scope) => {
        const value = await scope.execute(command, request, options);
        // In one go with handing over the value: from here on the caller flushes what it names.
        if (!abandoned) {
          scope.release();
          resolve(value);
        }
      }, signal);
      work.catch(reject).finally(() => signal?.removeEventListener('abort', onAbort));
    });
  }

  exclusive<T>(
    section: (scope: TpmScope) => Promise<T>,
    { signal, abortGraceMs = defaultAbortGraceMs }: ExclusiveOptions = {},
  ): Promise<T> {
    const work = this.#inScope(section, signal);
    if (signal === undefined) return work;
    const grace = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const onAbort = (): void => {
      timer = setTimeout(() => grace.abort(signal.reason), abortGraceMs);
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    return settleOrAbort(work, grace.signal).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#queue.close(new TpmDeviceError('ERR_TPM_CLOSED', 'the TPM was closed'));
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeGraceMs);
    });
    await Promise.race([this.#queue.idle(), patience]);
    clearTimeout(timer);
    await this.#ports.submitter.cleanUp();
    await this.#connection.close();
  }

  #inScope<T>(section: (scope: ExclusiveScope) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    return this.#queue.run(
      async () => {
        const scope = new ExclusiveScope(this.#ports);
        try {
          return await section(scope);
        } finally {
          await scope.end();
        }
      },
      { timeoutMs: this.#queueTimeoutMs, signal },
    );
  }
}

function connectOf(
  source: string | TpmAddress | TpmDevice | ConnectTpmDevice,
  options: TpmExecutorOptions,
): ConnectTpmDevice | undefined {
  if (typeof source === 'function') return source;
  if (typeof source === 'object' && 'transmit' in source) return undefined;
  return (signal) => openTpmDevice(source, { ...options.device, signal });
}

function checkOptions({
  timeoutFactor = 1,
  maxWaiting = defaultMaxWaiting,
  retry = {},
}: TpmExecutorOptions): void {
  if (!(timeoutFactor >= 0.001 && timeoutFactor <= 100)) {
    throw new InvalidArgumentError('options.timeoutFactor', 'must be from 0.001 to 100', 'ERR_OUT_OF_RANGE');
  }
  if (!(Number.isInteger(maxWaiting) && maxWaiting >= 1 && maxWaiting <= 10_000)) {
    throw new InvalidArgumentError('options.maxWaiting', 'must be from 1 to 10,000', 'ERR_OUT_OF_RANGE');
  }
  for (const [name, value] of Object.entries(retry)) {
    if (value !== undefined && !(value >= 1 && value <= 600_000)) {
      throw new InvalidArgumentError(
        `options.retry.${name}`,
        'must be from 1 to 600,000',
        'ERR_OUT_OF_RANGE',
      );
    }
  }
}
