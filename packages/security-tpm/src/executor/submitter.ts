/**
 * One command at a time: open the device if need be, send, look at the response code, try again where that is safe.
 */
import type { Clock, Logger } from '@endorse/interface';
import { commands, encodeCommand, peekResponseCode } from '@endorse/tpm2';
import type { CommandInfo } from '@endorse/tpm2';
import type { TpmDevice } from '../device/tpm-device.ts';
import { TpmDeviceError } from '../errors.ts';
import type { TpmConnection } from './connection.ts';
import type { HandleLedger, SendMaintenance } from './handle-ledger.ts';
import { RetryState } from './retry-policy.ts';
import type { TpmRetryPolicy } from './retry-policy.ts';
import { commandTimeoutsMs } from './timeouts.ts';
import type { TpmTraceListener } from './trace.ts';

/** What a submitter works with. */
export interface SubmitterPorts {
  readonly connection: TpmConnection;
  readonly ledger: HandleLedger;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retry: TpmRetryPolicy;
  /** Multiplies every time-out. */
  readonly timeoutFactor: number;
  readonly onTrace: TpmTraceListener | undefined;
}

/** Options of {@link Submitter.submit}. */
export interface SubmitOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  /** Handles whose users may come back to them after a lost connection. */
  readonly inUse: ReadonlySet<number>;
}

/** Commands that change nothing: sent again when their answer was lost with the connection. */
export const repeatable: readonly string[] = [
  'GetCapability',
  'GetRandom',
  'GetTestResult',
  'NV_ReadPublic',
  'ReadPublic',
];

const nobody: ReadonlySet<number> = new Set();
/** How often cleaning is tried, and how long it waits for a lost device each time, in milliseconds. */
const maxCleanUps = 2;
const cleanUpReopenForMs = 300;

/** Sends commands and applies the retry policy. Not safe for concurrent use: the executor's queue guards it. */
export class Submitter {
  readonly #ports: SubmitterPorts;
  #seenGeneration = 1;

  constructor(ports: SubmitterPorts) {
    this.#ports = ports;
  }

  /**
   * Sends `frame` and resolves with the final response, whatever its response code.
   *
   * An abort takes effect before sending and while waiting to send again; the answer to what was sent is awaited.
   */
  async submit(command: CommandInfo, frame: Uint8Array, options: SubmitOptions): Promise<Uint8Array> {
    const { connection, ledger, clock, logger, retry } = this.#ports;
    const { signal, inUse } = options;
    const state = new RetryState(retry, command.name);
    let repeated = false;
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted();
      let response: Uint8Array;
      try {
        const device = await this.#ready(inUse, signal);
        if (command.responseHandleCount > 0) await this.#prepareCreation(device);
        signal?.throwIfAborted();
        response = await this.#transmit(device, command, frame, attempt, options);
      } catch (error) {
        if (repeated || !connection.canReopen || !isRepeatable(command, error)) throw error;
        repeated = true;
        logger.log('warn', 'tpm-connection-lost', { command: command.name });
        continue;
      }
      const responseCode = peekResponseCode(response) ?? 0;
      const decision = state.decide(responseCode);
      switch (decision.action) {
        case 'return':
          return response;
        case 'wait':
          logger.log('debug', 'tpm-retry', {
            command: command.name,
            responseCode,
            delayMs: decision.delayMs,
          });
          await clock.sleep(decision.delayMs, signal ?? new AbortController().signal);
          break;
        case 'free-memory':
          if (!ledger.hasOrphans) return response;
          await this.#flushOrphans();
          break;
        case 'start-up':
          // Hardware is started by the firmware; a resource manager would not let us.
          if (!['swtpm', 'mssim'].includes(connection.info.kind)) return response;
          await this.#startUp();
          break;
        default:
          return unreachable(decision);
      }
    }
  }

  /**
   * Flushes what nobody uses any more, on a new connection if the old one is lost. Never rejects: what is left stays
   * on the ledger.
   */
  async cleanUp(): Promise<void> {
    const { connection, ledger, logger } = this.#ports;
    for (let attempt = 1; ledger.needsCleaning && attempt <= maxCleanUps; attempt += 1) {
      try {
        const device = await this.#ready(nobody, undefined, cleanUpReopenForMs);
        await this.#flushLost(device, nobody);
      } catch (error) {
        logger.log('warn', 'tpm-cleanup-failed', { attempt, error: String(error) });
        if (!connection.canReopen) return;
      }
    }
  }

  async #flushOrphans(): Promise<void> {
    const device = await this.#ports.connection.open(undefined);
    await this.#ports.ledger.flushOrphans((command, frame) => this.#maintain(device, command, frame));
  }

  async #flushLost(device: TpmDevice, inUse: ReadonlySet<number>): Promise<void> {
    const send: SendMaintenance = (command, frame) => this.#maintain(device, command, frame);
    await this.#ports.ledger.findLost(send, inUse);
    await this.#ports.ledger.flushOrphans(send);
  }

  async #prepareCreation(device: TpmDevice): Promise<void> {
    const { ledger, logger } = this.#ports;
    const count = await ledger.prepareCreation((command, frame) => this.#maintain(device, command, frame));
    // Somebody crashed here, or leaves objects to a later run; with three slots that is felt soon.
    if (count > 0) logger.log('warn', 'tpm-foreign-handles', { count });
  }

  async #startUp(): Promise<void> {
    const device = await this.#ports.connection.open(undefined);
    const frame = encodeCommand(commands.Startup, { startupType: 'clear' });
    await this.#maintain(device, commands.Startup, frame);
  }

  /** What the executor itself asks or tells the TPM: sent again like any other command, but on this device only. */
  async #maintain(device: TpmDevice, command: CommandInfo, frame: Uint8Array): Promise<Uint8Array> {
    const { clock, retry } = this.#ports;
    const state = new RetryState(retry, command.name);
    for (let attempt = 1; ; attempt += 1) {
      const response = await this.#transmit(device, command, frame, attempt);
      const decision = state.decide(peekResponseCode(response) ?? 0);
      if (decision.action !== 'wait') return response;
      await clock.sleep(decision.delayMs, new AbortController().signal);
    }
  }

  async #ready(
    inUse: ReadonlySet<number>,
    signal: AbortSignal | undefined,
    reopenForMs?: number,
  ): Promise<TpmDevice> {
    const { connection, ledger, logger } = this.#ports;
    const device = await connection.open(signal, reopenForMs);
    if (connection.generation !== this.#seenGeneration) {
      logger.log('info', 'tpm-reconnected', { generation: connection.generation });
      ledger.noteReconnect();
      await this.#flushLost(device, inUse);
      this.#seenGeneration = connection.generation;
    }
    return device;
  }

  async #transmit(
    device: TpmDevice,
    command: CommandInfo,
    frame: Uint8Array,
    attempt: number,
    { signal, timeoutMs }: Partial<SubmitOptions> = {},
  ): Promise<Uint8Array> {
    const { connection, ledger, clock, timeoutFactor } = this.#ports;
    const at = clock.now();
    const startedAt = performance.now();
    let responseCode = -1;
    // Only a key generation takes long enough to be worth cancelling; the answer (CANCELED or the key) still comes.
    const onAbort = (): void => void device.cancel?.().catch(() => undefined);
    if (command.timeoutClass === 'keyGeneration') signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const limitMs = timeoutMs ?? commandTimeoutsMs[command.timeoutClass] * timeoutFactor;
      const response = await connection.transmit(device, frame, limitMs);
      responseCode = peekResponseCode(response) ?? -1;
      return response;
    } catch (error) {
      if (command.responseHandleCount > 0 && wasSent(error)) ledger.noteDoubt();
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#trace({
        command: command.name,
        durationMs: performance.now() - startedAt,
        responseCode,
        attempt,
        at,
      });
    }
  }

  #trace(trace: Parameters<TpmTraceListener>[0]): void {
    try {
      this.#ports.onTrace?.(Object.freeze(trace));
    } catch (error) {
      // A listener's defect must not cost the TPM a flush.
      this.#ports.logger.log('error', 'tpm-trace-listener-failed', { error: String(error) });
    }
  }
}

function wasSent(error: unknown): boolean {
  return error instanceof TpmDeviceError && error.commandSent;
}

function isRepeatable(command: CommandInfo, error: unknown): boolean {
  if (!(error instanceof TpmDeviceError) || error.code !== 'ERR_TPM_IO') return false;
  return !error.commandSent || repeatable.includes(command.name);
}

function unreachable(decision: never): never {
  throw new TypeError(`unknown decision ${JSON.stringify(decision)}`);
}
