/**
 * Windows: TPM Base Services, a resource manager of the system, behind a worker thread and an optional
 * foreign-function module (`koffi`). Nothing of either is loaded unless a `tbs:` address is opened.
 */
import { Worker } from 'node:worker_threads';
import { TpmDeviceError } from '../errors.ts';
import type { TpmDeviceErrorCode } from '../errors.ts';
import { createChannelDevice } from './channel-device.ts';
import type { TpmChannel } from './channel-device.ts';
import type { ResolvedOpenOptions } from './open-options.ts';
import type { TbsReply, TbsRequest } from './tbs-messages.ts';
import type { TpmDevice } from './tpm-device.ts';

const maxFrameBytes = 4096;
/** How long closing waits for the worker before ending it, in milliseconds. */
const closeGraceMs = 1000;

/** Opens TPM Base Services. */
export async function openTbsDevice(options: ResolvedOpenOptions): Promise<TpmDevice> {
  const { connectTimeoutMs, signal } = options;
  signal?.throwIfAborted();
  // Sources run with type stripping, published files are JavaScript: the worker has the extension of this file.
  const url = new URL(
    import.meta.url.endsWith('.ts') ? './tbs-worker.ts' : './tbs-worker.js',
    import.meta.url,
  );
  const worker = new Worker(url, { workerData: { ...options.tbs }, name: 'endorse-tbs' });
  const replies = new Replies(worker);
  try {
    await waitUntilOpen(replies, connectTimeoutMs, signal);
  } catch (error) {
    await worker.terminate();
    throw error;
  }
  worker.unref();
  return createChannelDevice(createTbsChannel(worker, replies), {
    kind: 'tbs',
    resourceManaged: true,
    maxFrameBytes,
  });
}

type Answer = Extract<TbsReply, { readonly type: 'answered' }>;
type Opening = Exclude<TbsReply, Answer>;

/** Matches the worker's replies with who waits for them; a worker that dies fails them all. */
class Replies {
  readonly opening: Promise<Opening>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(answer: Answer): void; reject(error: unknown): void }>();
  #nextId = 0;
  #failure: TpmDeviceError | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.opening = new Promise((resolve, reject) => {
      worker.on('message', (reply: TbsReply) => {
        if (reply.type !== 'answered') resolve(reply);
        else this.#settle(reply);
      });
      const fail = (cause?: unknown): void => {
        this.#failure ??= new TpmDeviceError('ERR_TPM_IO', 'the worker for TPM Base Services ended', {
          cause,
        });
        reject(this.#failure);
        for (const { reject: rejectAnswer } of this.#waiting.values()) rejectAnswer(this.#failure);
        this.#waiting.clear();
      };
      worker.on('error', fail);
      worker.on('exit', () => fail());
    });
    this.opening.catch(() => undefined);
  }

  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  request(type: 'cancel' | 'close'): Promise<Answer>;
  request(type: 'submit', command: Uint8Array): Promise<Answer>;
  request(type: TbsRequest['type'], command?: Uint8Array): Promise<Answer> {
    const id = (this.#nextId += 1);
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage(command === undefined ? { id, type } : { id, type, command });
    });
  }

  #settle(answer: Answer): void {
    this.#waiting.get(answer.id)?.resolve(answer);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker.unref();
  }
}

function createTbsChannel(worker: Worker, replies: Replies): TpmChannel {
  return {
    exchange: async (command) => {
      const { status, response } = await replies.request('submit', command);
      if (status !== 0) throw tbsError(status, true);
      return response;
    },
    cancel: async () => {
      await replies.request('cancel');
    },
    isOpen: () => replies.isOpen,
    destroy: async () => {
      const closed = replies.request('close').catch(() => undefined);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, closeGraceMs);
        void closed.then(() => {
          clearTimeout(timer);
          resolve();
        });
      });
      await worker.terminate();
    },
  };
}

async function waitUntilOpen(
  replies: Replies,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const opening = await new Promise<Opening>((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      act();
    };
    const onAbort = (): void => settle(() => reject(signal?.reason));
    const timer = setTimeout(() => {
      const error = new TpmDeviceError(
        'ERR_TPM_TIMEOUT',
        `TPM Base Services did not open within ${timeoutMs} ms`,
      );
      settle(() => reject(error));
    }, timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    replies.opening.then(
      (reply) => settle(() => resolve(reply)),
      (error: unknown) => settle(() => reject(error)),
    );
  });
  if (opening.type === 'opened') return;
  switch (opening.reason) {
    case 'ffi':
      throw new TpmDeviceError('ERR_TPM_DRIVER_MISSING', 'tbs: needs the optional package koffi', {
        cause: opening.message,
        remedy: 'npm install koffi',
      });
    case 'library':
      throw new TpmDeviceError('ERR_TPM_UNREACHABLE', 'this system has no TPM Base Services', {
        cause: opening.message,
        remedy: 'tbs: works on Windows only; use device: on Linux.',
      });
    case 'version':
      throw new TpmDeviceError('ERR_TPM_UNREACHABLE', `this is no TPM 2.0 (${opening.message})`);
    case 'status':
      throw tbsError(opening.status, false);
    default:
      unreachable(opening);
  }
}

interface TbsFailure {
  readonly code: TpmDeviceErrorCode;
  readonly problem: string;
  readonly remedy?: string;
}

/** Results of tbs.h worth telling apart (Microsoft Learn, TBS return codes). */
const failures: Readonly<Record<number, TbsFailure>> = Object.freeze({
  0x8028_4008: {
    code: 'ERR_TPM_UNREACHABLE',
    problem: 'the service is not running',
    remedy: 'Start the service TBS.',
  },
  0x8028_4009: { code: 'ERR_TPM_BUSY', problem: 'too many contexts are open' },
  0x8028_400b: { code: 'ERR_TPM_UNREACHABLE', problem: 'the service is starting' },
  0x8028_400d: { code: 'ERR_TPM_IO', problem: 'the command was cancelled' },
  0x8028_400f: {
    code: 'ERR_TPM_UNREACHABLE',
    problem: 'there is no TPM',
    remedy: 'Switch the TPM on in the firmware settings.',
  },
  0x8028_4012: { code: 'ERR_TPM_PERMISSION', problem: 'access was denied', remedy: 'Run as administrator.' },
  0x8028_0400: {
    code: 'ERR_TPM_PERMISSION',
    problem: 'Windows blocks this command for this user',
    remedy: 'Run as administrator, or allow the command by group policy.',
  },
});

function tbsError(status: number, commandSent: boolean): TpmDeviceError {
  const known = failures[status];
  const code = `0x${status.toString(16)}`;
  const options = { commandSent, remedy: known?.remedy };
  return known === undefined
    ? new TpmDeviceError('ERR_TPM_IO', `TPM Base Services failed with ${code}`, options)
    : new TpmDeviceError(known.code, `TPM Base Services: ${known.problem} (${code})`, options);
}

function unreachable(opening: never): never {
  throw new TpmDeviceError('ERR_TPM_IO', `unknown message ${JSON.stringify(opening)}`);
}
