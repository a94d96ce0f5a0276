/**
 * Defects of the official Azure IoT SDK for Node.js that a device meets while it registers: in which situation, what the
 * SDK does there and why, and what ours does. The suite runs both sides of every row and expects theirs to fail, still;
 * the guide for those who migrate shows the rows as a table. A row that a newer SDK mends is to be struck.
 */
import type { FaultRule } from '@endorse/emulator';

/** The versions that every row was seen with. */
export const observedVersions: Readonly<Record<string, string>> = {
  'azure-iot-provisioning-device': '1.9.1',
  'azure-iot-provisioning-device-amqp': '1.9.1',
  'azure-iot-provisioning-device-http': '1.9.1',
  'azure-iot-provisioning-device-mqtt': '1.8.1',
  'azure-iot-security-tpm': '1.9.3',
};

/** What both sides meet. Everything else is as it should be. */
export interface Situation {
  /** Rules of the emulator, in force for each side anew. */
  readonly faults?: readonly FaultRule[];
  /** Nobody listens where the service should be. */
  readonly isServiceDown?: true;
  /** The operator has disabled the enrollment. */
  readonly isDisabled?: true;
  /** Pause that the service asks for while it assigns; default 0. */
  readonly retryAfterSeconds?: number;
  /** When the program cancels: as soon as it has called `register()`, or in the pause before the first poll. */
  readonly cancel?: 'at-once' | 'between-polls';
  /** How often it registers, one after the other, with one client; default 1. */
  readonly registrations?: number;
  /** Time limit of a request, as the option of either side that is meant for it says. */
  readonly requestTimeoutMs?: number;
  /** The host is given with its port, also where the official client can do without. */
  readonly hasPort?: true;
  /** Delays of timers of the official client that nobody wants to wait for. */
  readonly hastenedMs?: readonly number[];
}

/** How the official client ends. */
export interface TheirEnd {
  /**
   * - `hangs`: `register()` is pending when the event loop has run dry. No socket, timer or TPM command is left that
   *   could settle it, so that it is pending for good, and no duration is needed to say so.
   * - `crashes`: an exception that no program can catch ends the process.
   * - `gives up`: `register()` rejects where it need not.
   * - `goes on`: it does so, whatever it was told.
   * - `misleads`: result or error are not what their names say.
   */
  readonly does: 'hangs' | 'crashes' | 'gives up' | 'goes on' | 'misleads';
  /** The same for users, in full. */
  readonly text: string;
  /** What its process prints, line by line. */
  readonly lines: readonly object[];
  /** What an uncaught exception says, and the package whose code throws it. */
  readonly crash?: { readonly error: string; readonly thrownIn: string };
  /** How many requests of the kind that the fault is about reach the service. */
  readonly requests?: number;
  /** Sessions that the TPM still holds afterwards; default 0. */
  readonly sessionsLeft?: number;
}

/** How ours ends: with a code, or by registering. */
export interface OurEnd {
  readonly code?: string;
  /** For users, what is to be said beside that. */
  readonly text?: string;
  /** As in {@link TheirEnd}. */
  readonly requests?: number;
  /** Shortest duration, where the service asks for a pause. */
  readonly atLeastMs?: number;
}

/** A row. */
export interface OfficialDefect {
  readonly name: string;
  readonly carrier: 'http' | 'amqp' | 'amqp-ws' | 'mqtt';
  readonly attestation: 'tpm' | 'symmetric-key';
  /** The package that has the defect. */
  readonly origin: string;
  /** Why it happens in their code. */
  readonly reason: string;
  readonly situation: Situation;
  readonly theirs: TheirEnd;
  readonly ours: OurEnd;
}

const cancelled = { event: 'cancelled' };
const drained = { event: 'drained' };
const registered = { event: 'registered', status: 'assigned' };
const rejected = (name: string, rest: object = {}): object => ({
  event: 'rejected',
  error: { name, ...rest },
});
const timer = (delayMs: number): object => ({ event: 'timer', delayMs });

/** Every row. */
export const officialDefects: readonly OfficialDefect[] = [
  {
    name: 'cancelled while it authenticates',
    carrier: 'http',
    attestation: 'tpm',
    origin: 'azure-iot-provisioning-device',
    reason:
      'The callback of `register()` travels as an argument of the transitions; the one that `cancel()` makes does not take it along.',
    situation: { cancel: 'at-once' },
    theirs: {
      does: 'hangs',
      text: '`cancel()` succeeds, `register()` never settles',
      lines: [cancelled, drained],
    },
    ours: { code: 'ERR_REGISTRATION_CANCELLED' },
  },
  {
    name: 'connection refused before the challenge',
    carrier: 'amqp',
    attestation: 'tpm',
    origin: 'azure-iot-provisioning-device-amqp',
    reason:
      'The outcome of connecting goes to a listener that is added only when the challenge has been answered, and the 30 s timer covers only what follows.',
    situation: { isServiceDown: true },
    theirs: { does: 'hangs', text: '`register()` never settles', lines: [drained] },
    ours: { code: 'ERR_TRANSPORT_CONNECT' },
  },
  {
    name: 'connection lost in a registration',
    carrier: 'mqtt',
    attestation: 'symmetric-key',
    origin: 'azure-iot-provisioning-device-mqtt',
    reason:
      'The transport has disconnected by the time the error event arrives; its handler for idle calls a callback that such an event does not bring.',
    situation: {
      faults: [{ operation: 'register', count: 1, fault: { kind: 'drop', when: 'before-handling' } }],
    },
    theirs: {
      does: 'crashes',
      text: 'an uncaught `TypeError` ends the process',
      lines: [],
      crash: { error: 'TypeError', thrownIn: 'azure-iot-provisioning-device-mqtt' },
    },
    ours: { text: 'over a new connection', requests: 2 },
  },
  {
    name: 'an answer that is no JSON',
    carrier: 'mqtt',
    attestation: 'symmetric-key',
    origin: 'azure-iot-provisioning-device-mqtt',
    reason: 'Messages are parsed in an event handler, with nothing around it.',
    situation: { faults: [{ operation: 'register', fault: { kind: 'truncate' } }] },
    theirs: {
      does: 'crashes',
      text: 'an uncaught `SyntaxError` ends the process',
      lines: [],
      crash: { error: 'SyntaxError', thrownIn: 'azure-iot-provisioning-device-mqtt' },
    },
    ours: { code: 'ERR_REMOTE_MALFORMED' },
  },
  {
    name: 'a time limit for requests',
    carrier: 'http',
    attestation: 'symmetric-key',
    origin: 'azure-iot-provisioning-device',
    reason: 'The option `timeoutInterval` is documented and read by nobody; the constant is compiled in.',
    situation: {
      // Longer than either side waits.
      faults: [{ operation: 'register', fault: { kind: 'delay', delayMs: 600_000 } }],
      requestTimeoutMs: 250,
      hastenedMs: [30_000],
    },
    theirs: {
      does: 'goes on',
      text: 'waits for 30 s, whatever `timeoutInterval` says',
      lines: [timer(30_000), rejected('TimeoutError')],
    },
    ours: { code: 'ERR_TIMEOUT', text: 'after `stepTimeoutMs`' },
  },
  {
    name: '501 Not Implemented',
    carrier: 'mqtt',
    attestation: 'symmetric-key',
    origin: 'azure-iot-provisioning-device-mqtt',
    reason: 'Every status from 429 up is turned into "still registering", and attempts are not counted.',
    situation: {
      faults: [{ operation: 'register', count: 25, fault: { kind: 'status', status: 501 } }],
      hastenedMs: [2_000],
    },
    theirs: {
      does: 'goes on',
      text: 'asks again every 2 s without an end: here until the service changed its mind, after 25 refusals',
      lines: [...Array.from({ length: 25 }, () => timer(2_000)), registered],
      requests: 26,
    },
    ours: { code: 'ERR_SERVICE_UNAVAILABLE', text: 'at once', requests: 1 },
  },
  ...(
    [
      [429, 'ThrottlingError', 'Too Many Requests'],
      [503, 'ServiceUnavailableError', 'Service Unavailable'],
    ] as const
  ).map(([status, error, phrase]): OfficialDefect => ({
    name: `one ${status} ${phrase} with Retry-After`,
    carrier: 'http',
    attestation: 'symmetric-key',
    origin: 'azure-iot-provisioning-device-http',
    reason:
      'The retry stands where the request succeeded, but the layer below has made an error of every status from 300 up.',
    situation: {
      faults: [{ operation: 'register', count: 1, fault: { kind: 'status', status, retryAfterSeconds: 1 } }],
    },
    theirs: {
      does: 'gives up',
      text: `rejects with \`${error}\` after one request`,
      lines: [rejected(error)],
      requests: 1,
    },
    ours: { text: 'after the pause that was asked for', requests: 2, atLeastMs: 1_000 },
  })),
  {
    name: 'registering again with the same client',
    carrier: 'http',
    attestation: 'tpm',
    origin: 'azure-iot-provisioning-device',
    reason:
      'The state after success has no handler for `register()`, and the machine drops what it does not handle.',
    situation: { registrations: 2 },
    theirs: { does: 'hangs', text: 'the second `register()` never settles', lines: [registered, drained] },
    ours: { text: 'as often as it is called' },
  },
  ...(['http', 'amqp'] as const).map((carrier): OfficialDefect => ({
    name: 'cancelled between two polls',
    carrier,
    attestation: 'tpm',
    origin: 'azure-iot-provisioning-device',
    reason: '`cancel()` reaches the transport, which has no request on its way, and not the loop that polls.',
    situation: {
      faults: [{ operation: 'register', count: 1, fault: { kind: 'stay-assigning' } }],
      retryAfterSeconds: 7,
      cancel: 'between-polls',
      hastenedMs: [7_000],
    },
    theirs: {
      does: 'goes on',
      text: '`cancel()` succeeds, and the device is provisioned all the same',
      lines: [cancelled, timer(7_000), registered],
    },
    ours: { code: 'ERR_REGISTRATION_CANCELLED' },
  })),
  {
    name: 'a wrapped key that was tampered with',
    carrier: 'http',
    attestation: 'tpm',
    origin: 'azure-iot-security-tpm',
    reason:
      'A debug line reads the result of ActivateCredential before the error is looked at, and with an error there is no result.',
    situation: {
      faults: [{ operation: 'request-challenge', fault: { kind: 'flip-blob', field: 'idObject' } }],
    },
    theirs: {
      does: 'crashes',
      text: 'an uncaught `TypeError` ends the process, a session stays in the TPM',
      lines: [],
      crash: { error: 'TypeError', thrownIn: 'azure-iot-security-tpm' },
      sessionsLeft: 1,
    },
    ours: { code: 'ERR_TPM_INTEGRITY', text: 'and leaves nothing in the TPM' },
  },
  {
    name: 'the result of a TPM registration',
    carrier: 'http',
    attestation: 'tpm',
    origin: 'azure-iot-provisioning-device',
    reason:
      'It resolves to the whole operation, the others to the state in it; the type says they are the same.',
    situation: {},
    theirs: {
      does: 'misleads',
      text: 'hides `assignedHub` and `deviceId` in `registrationState`, with a TPM only',
      lines: [{ ...registered, members: ['operationId', 'status', 'registrationState'] }],
    },
    ours: { text: 'with the same result for all attestations' },
  },
  {
    name: 'a disabled enrollment',
    carrier: 'http',
    attestation: 'symmetric-key',
    origin: 'azure-iot-provisioning-device',
    reason: 'A status that the polling loop does not name counts as unreadable.',
    situation: { isDisabled: true },
    theirs: {
      does: 'misleads',
      text: 'rejects with a `SyntaxError`, as if the answer could not be read',
      lines: [rejected('SyntaxError', { message: 'status is disabled' })],
    },
    ours: { code: 'ERR_REGISTRATION_DISABLED' },
  },
  {
    name: 'a host with its port',
    carrier: 'amqp-ws',
    attestation: 'symmetric-key',
    origin: 'azure-iot-provisioning-device-amqp',
    reason: 'Port 443 is appended to whatever the host is.',
    situation: { hasPort: true },
    theirs: {
      does: 'gives up',
      text: 'rejects with `Invalid URL`',
      lines: [rejected('TypeError', { code: 'ERR_INVALID_URL' })],
    },
    ours: {},
  },
];
