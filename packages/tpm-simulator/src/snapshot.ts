import { parseSimulatorAddress } from './address.ts';
import { withDeadline } from './deadline.ts';
import { getHandles, listedHandles } from './raw-command.ts';
import { transmitOk, withRawTpm } from './raw-tpm.ts';
import type { TransmitRaw } from './raw-tpm.ts';

/**
 * Which handles a TPM holds, each list ascending. Two snapshots are equal (`deepEqual`) when
 * nothing was left behind in between.
 */
export interface TpmSnapshot {
  /** Loaded objects and sequences, 0x80……. */
  readonly transient: readonly number[];
  /** HMAC (0x02……) and policy (0x03……) sessions in the TPM's memory. */
  readonly loadedSessions: readonly number[];
  /** Sessions whose context was saved outside. */
  readonly savedSessions: readonly number[];
  /** Persistent objects, 0x81……. */
  readonly persistent: readonly number[];
  /** NV indices, 0x01……. */
  readonly nvIndices: readonly number[];
}

/** Anything that carries whole TPM commands; an open TPM device of `@endorse/security-tpm` is one. */
export interface CommandCarrier {
  /** Sends one whole command and resolves with the whole response. */
  transmit(
    command: Uint8Array,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<Uint8Array>;
}

/** Options of {@link readTpmSnapshot}. */
export interface SnapshotOptions {
  /** Longest duration, in milliseconds; default 5,000. */
  readonly timeoutMs?: number | undefined;
  /** Aborts; the promise then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

const defaultTimeoutMs = 5_000;
const firstTransient = 0x8000_0000;
const firstLoadedSession = 0x0200_0000;
const firstSavedSession = 0x0300_0000;
const firstPersistent = 0x8100_0000;
const firstNvIndex = 0x0100_0000;

/**
 * Lists the handles a TPM holds, through a connection of its own or one that is open already.
 *
 * A simulator serves one connection at a time: with an address, close every other connection
 * first, or this rejects with `ERR_TIMEOUT`. Rejects with `ERR_TRANSPORT_CONNECT` when nothing
 * listens and `ERR_REMOTE_UNEXPECTED` when the TPM refuses.
 */
export async function readTpmSnapshot(
  source: string | CommandCarrier,
  options: SnapshotOptions = {},
): Promise<TpmSnapshot> {
  const endpoints = typeof source === 'string' ? parseSimulatorAddress(source) : undefined;
  const { timeoutMs = defaultTimeoutMs, signal } = options;
  const remedy = 'Close every other connection first: the simulator serves one at a time.';
  return withDeadline({ timeoutMs, state: 'reading the handles', remedy, signal }, (combined) => {
    if (endpoints !== undefined) return withRawTpm(endpoints.data, combined, readAll);
    const carrier = source as CommandCarrier;
    return readAll((command) => carrier.transmit(command, { timeoutMs, signal: combined }));
  });
}

async function readAll(transmit: TransmitRaw): Promise<TpmSnapshot> {
  return Object.freeze({
    transient: await readHandles(transmit, firstTransient),
    loadedSessions: await readHandles(transmit, firstLoadedSession),
    savedSessions: await readHandles(transmit, firstSavedSession),
    persistent: await readHandles(transmit, firstPersistent),
    nvIndices: await readHandles(transmit, firstNvIndex),
  });
}

async function readHandles(transmit: TransmitRaw, first: number): Promise<readonly number[]> {
  const found: number[] = [];
  for (let next = first; ;) {
    const response = await transmitOk(transmit, getHandles(next), 'list its handles');
    const { more, handles } = listedHandles(response);
    found.push(...handles);
    const last = handles.at(-1);
    if (!more || last === undefined) return Object.freeze(found.toSorted((a, b) => a - b));
    next = last + 1;
  }
}
