/** What every listener has to hold, whatever a client writes. */
import type { Duplex } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { FuzzTarget, RecordedSession } from '@endorse/fuzzing';
import { mutatedSession } from '@endorse/fuzzing';
import * as fc from 'fast-check';

/** A listener under test. */
export interface ListenerTarget extends FuzzTarget {
  /** Exports it covers, as `dynamic-registration startRegistrar`; none where the emulator stands behind it. */
  readonly covers: readonly string[];
  /** Starts the listener, and a client's recordings for it. */
  start(): Promise<StartedListener>;
}

/** A listener that runs. */
export interface StartedListener extends AsyncDisposable {
  readonly property: fc.IRawProperty<unknown>;
  /** Rejects unless a client that behaves is served. */
  serveOne(): Promise<void>;
}

/** How a client reaches a listener. */
export interface SocketListener {
  /** Opens a connection that is ready to be written to. */
  readonly open: () => Promise<Duplex>;
  readonly sessions: readonly RecordedSession[];
  /** Puts a session into the protocol below, where there is one. */
  readonly wrap?: (session: RecordedSession) => RecordedSession;
  /** After every session. */
  readonly reset?: () => void;
}

/** How long a client that may get none waits for an answer before it goes on without, in milliseconds. */
const shortPatienceMs = 8;
/** The same for one that behaves, on a machine that does something else besides. */
const goodPatienceMs = 5_000;
/** How long a listener may take to end a connection that its client has ended. */
const endMs = 5_000;

/** The property of a listener: a session ends or goes on, and nothing in it is an answer of 500 or more. */
export function sessionProperty({ open, sessions, wrap, reset }: SocketListener): fc.IRawProperty<unknown> {
  const inner = mutatedSession(sessions);
  const inputs =
    wrap === undefined
      ? inner
      : fc.oneof(inner.map(wrap), mutatedSession(sessions.map((session) => wrap(session))));
  return fc.asyncProperty(inputs, async (session) => {
    const answer = await converse(await open(), session, shortPatienceMs);
    reset?.();
    const fault = /HTTP\/1\.1 5\d\d[^]{0,300}/.exec(answer);
    if (fault !== null) throw new Error(`answers ${fault[0]}`);
  });
}

/** Plays a client: writes a piece whenever the listener has said something, or seems to say no more. Resolves to all it said. */
export async function converse(
  stream: Duplex,
  session: RecordedSession,
  patienceMs: number = goodPatienceMs,
): Promise<string> {
  const heard: Buffer[] = [];
  const rest = [...session];
  let timer: NodeJS.Timeout | undefined;
  const next = (): void => {
    clearTimeout(timer);
    const piece = rest.shift();
    if (piece === undefined) {
      stream.end();
      return;
    }
    stream.write(piece);
    timer = setTimeout(next, patienceMs);
  };
  stream.on('data', (chunk: Buffer) => {
    heard.push(chunk);
    if (timer !== undefined) next();
  });
  // Errors are none: a listener may go while its client still writes.
  const closed = new Promise<boolean>((resolve) => {
    const late = setTimeout(() => resolve(false), session.length * patienceMs + endMs);
    stream.once('close', () => {
      clearTimeout(late);
      resolve(true);
    });
  });
  next();
  const isClosed = await closed;
  clearTimeout(timer);
  stream.destroy();
  if (!isClosed) throw new Error(`the connection is still open ${endMs} ms after its client went`);
  return Buffer.concat(heard).toString('latin1');
}

/** Bytes on the heap after a collection. */
export function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}
