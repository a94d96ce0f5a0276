import type {
  PumpOutcome,
  PumpReply,
  PumpRequest,
  PumpTransport,
  PumpTransportOptions,
  PumpTransportProvider,
} from '@endorse/interface';

/** A request as the peer saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A service behind a pump that does what a test says, when it says so. */
export interface ScriptedPeer {
  readonly provider: PumpTransportProvider;
  /** What each transport was made with. */
  readonly made: readonly PumpTransportOptions[];
  readonly requests: readonly SeenRequest[];
  readonly opens: number;
  readonly closes: number;
  readonly doWorks: number;
  /** True while an open or a request waits for its outcome. */
  readonly isAsked: boolean;
  /** The open succeeds, at the next `doWork()`. */
  connect(): void;
  /** The request is answered, at the next `doWork()`; an object becomes JSON. */
  reply(status: number, body: unknown, headers?: Readonly<Record<string, string>>): void;
  /** The open or the request fails, at the next `doWork()`. */
  fail(error: Error): void;
  /** Repeats the last outcome, as only a broken transport would. */
  repeat(): void;
}

/** Makes a peer; `faults` make the transport throw where it must not. */
export function createScriptedPeer(
  faults: {
    readonly make?: Error;
    readonly open?: Error;
    readonly send?: Error;
    readonly doWork?: Error;
  } = {},
): ScriptedPeer {
  const made: PumpTransportOptions[] = [];
  const requests: SeenRequest[] = [];
  const counts = { opens: 0, closes: 0, doWorks: 0 };
  let onOpened: ((outcome: PumpOutcome<undefined>) => void) | undefined;
  let onReply: ((outcome: PumpOutcome<PumpReply>) => void) | undefined;
  let due: (() => void)[] = [];
  let last: (() => void) | undefined;
  const schedule = (outcome: () => void): void => {
    last = outcome;
    due.push(outcome);
  };
  const pump: PumpTransport = {
    specificationVersion: 'v1',
    open: (callback) => {
      counts.opens += 1;
      if (faults.open !== undefined) throw faults.open;
      onOpened = callback;
    },
    send: (request, callback) => {
      requests.push(seen(request));
      if (faults.send !== undefined) throw faults.send;
      onReply = callback;
    },
    doWork: () => {
      counts.doWorks += 1;
      if (faults.doWork !== undefined) throw faults.doWork;
      const now = due;
      due = [];
      for (const outcome of now) outcome();
    },
    close: () => {
      counts.closes += 1;
      due = [];
      onOpened = undefined;
      onReply = undefined;
    },
  };
  return {
    provider: (options) => {
      if (faults.make !== undefined) throw faults.make;
      made.push(options);
      return pump;
    },
    made,
    requests,
    get opens() {
      return counts.opens;
    },
    get closes() {
      return counts.closes;
    },
    get doWorks() {
      return counts.doWorks;
    },
    get isAsked() {
      return onOpened !== undefined || onReply !== undefined;
    },
    connect: () => {
      const callback = onOpened;
      onOpened = undefined;
      if (callback !== undefined) schedule(() => callback({ ok: true, value: undefined }));
    },
    reply: (status, body, headers = { 'content-type': 'application/json' }) => {
      const callback = onReply;
      onReply = undefined;
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const value = { status, headers, body: new TextEncoder().encode(text) };
      if (callback !== undefined) schedule(() => callback({ ok: true, value }));
    },
    fail: (error) => {
      const callback = onReply ?? onOpened;
      onReply = undefined;
      onOpened = undefined;
      if (callback !== undefined) schedule(() => callback({ ok: false, error }));
    },
    repeat: () => {
      if (last !== undefined) due.push(last);
    },
  };
}

function seen({ method, target, headers, body }: PumpRequest): SeenRequest {
  const text = body === undefined ? undefined : new TextDecoder().decode(body);
  return { method, target, headers, body: text === undefined ? undefined : (JSON.parse(text) as unknown) };
}
