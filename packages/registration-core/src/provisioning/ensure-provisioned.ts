import type { RegistrationResult } from '@endorse/interface';
import { InvalidArgumentError, TimeoutError } from '@endorse/interface';
import { formatHostPort, parseHostPort } from '@endorse/protocol';
import { forwardAbort } from '../abort.ts';
import { runBounded } from '../driver/bounded.ts';
import { driveRegistration } from '../driver/drive.ts';
import type { RegisterOptions, RegistrationPlan } from '../options.ts';
import { planRegistration } from '../options.ts';
import { decodeAssignment, encodeAssignment } from './assignment-codec.ts';
import type { Assignment, ProvisionedDevice, RegistrationReason } from './provisioned-device.ts';
import { ProvisioningStateError } from './state-error.ts';
import type { ProvisioningStore } from './store.ts';

/** What `verifyHub` is told to work with. */
export interface VerifyHubOptions {
  /** Aborted with the caller's reason, or after `verifyTimeoutMs`. */
  readonly signal: AbortSignal;
}

/** Options of {@link ensureProvisioned} beside those of the store. */
export interface ProvisioningOptions extends RegisterOptions {
  /**
   * Asks the hub whether a stored assignment still holds. False: the hub refuses it, so the device registers anew. A
   * rejection ends `ensureProvisioned()` with it: a network that is down is no reason to register. Default: trust the store.
   */
  readonly verifyHub?:
    | ((device: Assignment, options: VerifyHubOptions) => boolean | Promise<boolean>)
    | undefined;
  /** Longest duration of `verifyHub`; default 60,000 ms, 1 to 3,600,000. */
  readonly verifyTimeoutMs?: number | undefined;
}

/** Options of {@link ensureProvisioned}. */
export interface EnsureProvisionedOptions extends ProvisioningOptions {
  /** Where the assignment is kept. */
  readonly store: ProvisioningStore;
}

/** How long a call that ignores its signal is waited for, in milliseconds. */
const abortGraceMs = 10_000;

/**
 * What a device calls at boot: reuses its stored assignment, and registers only
 * when there is none, when it belongs to another service, scope or identity, when
 * the hub refuses it, or when `forceRegistration` says so. A registration writes to
 * the TPM, which wears.
 *
 * Reading is free of locks, so a device with an assignment starts from a read-only
 * disk. Several processes may call it at once: one registers, the others wait (at
 * most `deadlineMs`) and reuse what it stored.
 *
 * Rejects as `register()` does, with `ERR_STATE_READ`, `ERR_STATE_WRITE` or
 * `ERR_STATE_LOCKED` (`ProvisioningStateError`), and with what `verifyHub` rejects with.
 */
export async function ensureProvisioned(options: EnsureProvisionedOptions): Promise<ProvisionedDevice> {
  const plan = planRegistration(options);
  return new Provisioning(plan, options).run();
}

type Finding = { readonly device: ProvisionedDevice } | { readonly reason: RegistrationReason };

class Provisioning {
  readonly #plan: RegistrationPlan;
  readonly #store: ProvisioningStore;
  readonly #verifyHub: ProvisioningOptions['verifyHub'];
  readonly #verifyTimeoutMs: number;
  /** A stored text that the hub refused: not asked about again. */
  #refused: string | undefined;

  constructor(plan: RegistrationPlan, options: EnsureProvisionedOptions) {
    const { store, verifyHub, verifyTimeoutMs = 60_000 } = options;
    if (typeof store?.withLock !== 'function') {
      throw new InvalidArgumentError('store', 'must be a ProvisioningStore');
    }
    if (verifyHub !== undefined && typeof verifyHub !== 'function') {
      throw new InvalidArgumentError('verifyHub', 'must be a function');
    }
    if (!Number.isInteger(verifyTimeoutMs) || verifyTimeoutMs < 1 || verifyTimeoutMs > 3_600_000) {
      throw new InvalidArgumentError(
        'verifyTimeoutMs',
        'must be whole milliseconds from 1 to 3,600,000',
        'ERR_OUT_OF_RANGE',
      );
    }
    this.#plan = plan;
    this.#store = store;
    this.#verifyHub = verifyHub;
    this.#verifyTimeoutMs = verifyTimeoutMs;
  }

  async run(): Promise<ProvisionedDevice> {
    this.#plan.signal?.throwIfAborted();
    const registrationId = await this.#bounded('getRegistrationId', this.#plan.securityTimeoutMs, (signal) =>
      this.#plan.securityClient.getRegistrationId({ signal }),
    );
    const first = await this.#find(registrationId);
    if ('device' in first) return first.device;
    const { signal = new AbortController().signal, deadlineMs } = this.#plan;
    return this.#store.withLock(() => this.#registerUnlessFound(registrationId, first.reason), {
      signal,
      limitMs: deadlineMs,
    });
  }

  /** Under the lock: another process may have registered since the store was read. */
  async #registerUnlessFound(registrationId: string, reason: RegistrationReason): Promise<ProvisionedDevice> {
    const second = reason === 'forced' ? { reason } : await this.#find(registrationId);
    if ('device' in second) return second.device;
    this.#plan.logger.log('info', 'registration-needed', { reason: second.reason });
    const result = await driveRegistration(this.#plan);
    const assignment = createAssignment(this.#plan, registrationId, result);
    const device: ProvisionedDevice = { ...assignment, source: 'registered', reason: second.reason };
    await this.#keep(assignment, device);
    return device;
  }

  /** A stored assignment that holds, or why there is none. */
  async #find(registrationId: string): Promise<Finding> {
    if (this.#plan.forceRegistration) return { reason: 'forced' };
    const text = await this.#bounded('read', this.#plan.stepTimeoutMs, (signal) =>
      this.#store.read({ signal }),
    );
    if (text === undefined) return { reason: 'absent' };
    if (text === this.#refused) return { reason: 'refused' };
    const assignment = decodeAssignment(text);
    if (assignment === undefined || !isOurs(assignment, this.#plan, registrationId)) {
      const reason = assignment === undefined ? 'corrupt' : 'foreign';
      this.#plan.logger.log('warn', 'stored-assignment-unusable', { reason });
      return { reason };
    }
    if (!(await this.#holds(assignment))) {
      this.#refused = text;
      this.#plan.logger.log('warn', 'stored-assignment-refused', { assignedHub: assignment.assignedHub });
      return { reason: 'refused' };
    }
    this.#plan.logger.log('info', 'stored-assignment-reused', { assignedHub: assignment.assignedHub });
    return { device: { ...assignment, source: 'stored' } };
  }

  async #holds(assignment: Assignment): Promise<boolean> {
    const verifyHub = this.#verifyHub;
    if (verifyHub === undefined) return true;
    return this.#bounded('verifyHub', this.#verifyTimeoutMs, async (signal) =>
      verifyHub(assignment, { signal }),
    );
  }

  async #keep(assignment: Assignment, device: ProvisionedDevice): Promise<void> {
    const write = (signal: AbortSignal): Promise<void> =>
      this.#store.write(encodeAssignment(assignment), { signal });
    try {
      // Without the caller's signal: a registration that is done must not be lost to an abort that came too late.
      await this.#bounded('write', this.#plan.stepTimeoutMs, write, new AbortController().signal);
    } catch (error) {
      throw new ProvisioningStateError(
        'ERR_STATE_WRITE',
        `the device is registered with ${device.assignedHub}, but the assignment could not be stored: ${messageOf(error)}`,
        {
          cause: error,
          device,
          remedy: 'Make the store writable: the device registers at every boot without it.',
        },
      );
    }
  }

  async #bounded<Value>(
    what: string,
    limitMs: number,
    work: (signal: AbortSignal) => Promise<Value>,
    caller: AbortSignal | undefined = this.#plan.signal,
  ): Promise<Value> {
    const controller = new AbortController();
    const unlink = forwardAbort(caller, controller);
    try {
      return await runBounded(work, {
        clock: this.#plan.clock,
        controller,
        limitMs,
        graceMs: abortGraceMs,
        createTimeout: (deadlineMs) =>
          new TimeoutError(`ensureProvisioned: ${what} took longer than ${deadlineMs} ms`, {
            deadlineMs,
            state: what,
          }),
      });
    } finally {
      unlink();
    }
  }
}

function createAssignment(
  { provisioningHost, idScope, securityClient, clock }: RegistrationPlan,
  registrationId: string,
  { assignedHub, deviceId, operationId, substatus, payload }: RegistrationResult,
): Assignment {
  return {
    provisioningHost: normaliseHost(provisioningHost),
    idScope,
    attestation: securityClient.kind,
    registrationId,
    assignedHub,
    deviceId,
    operationId,
    ...(substatus === undefined ? {} : { substatus }),
    ...(payload === undefined ? {} : { payload }),
    assignedAt: clock.now(),
  };
}

/** Registration ids and scopes are compared as the service does: case does not count. */
function isOurs(assignment: Assignment, plan: RegistrationPlan, registrationId: string): boolean {
  return (
    assignment.provisioningHost === normaliseHost(plan.provisioningHost) &&
    assignment.idScope.toLowerCase() === plan.idScope.toLowerCase() &&
    assignment.attestation === plan.securityClient.kind &&
    assignment.registrationId.toLowerCase() === registrationId.toLowerCase()
  );
}

function normaliseHost(host: string): string {
  return formatHostPort(parseHostPort(host), { defaultPort: 443 });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
