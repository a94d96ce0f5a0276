import type { Secret } from '@endorse/interface';
import type { CredentialPolicy } from '../credentials.ts';
import { credentialsFor } from '../credentials.ts';
import { ProvisioningError, blockedCodes, conflictCodes } from '../errors.ts';
import { registrationIdFor } from '../endorsement-key.ts';
import { openDeviceGateway } from '../gateway-target.ts';
import type { InventoryDevice } from '../inventory/inventory.ts';
import type { ProvisioningJob } from '../job/job.ts';
import type { ProvisioningPorts } from '../ports.ts';
import type { RunLimits } from '../run-options.ts';
import { checkLimits } from '../run-options.ts';
import { signIn } from '../steps/sign-in.ts';
import { describeError } from '../support/describe-error.ts';
import { redactingPasswords } from '../support/redacting-passwords.ts';
import { Redactor } from '../support/redactor.ts';
import { retrying } from '../support/retry.ts';
import { runBounded } from '../support/run-bounded.ts';
import { throttled } from '../support/throttle.ts';
import { TokenBucket } from '../support/token-bucket.ts';
import type { Look } from './observe.ts';
import { observe } from './observe.ts';
import type { PlanProblem, PlannedDevice, ProvisioningPlan } from './plan.ts';
import { sealPlan } from './plan-file.ts';

/** What {@link makePlan} takes. */
export interface MakePlanOptions {
  readonly job: ProvisioningJob;
  readonly inventory: readonly InventoryDevice[];
  readonly ports: ProvisioningPorts;
  readonly credentials: CredentialPolicy;
  /** Further secrets to keep out of every message, such as the key of the service; default none. */
  readonly secrets?: readonly Secret[] | undefined;
  /** Bounds; the defaults suit a laptop and the public service. */
  readonly limits?: RunLimits | undefined;
  /** Aborts at once; rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told of every device when it has been looked at. Default: nobody. */
  readonly onDevice?: ((device: PlannedDevice) => void) | undefined;
}

/**
 * Looks at every gateway and at the service, and says what apply is going to do. Writes nothing anywhere, except a pin
 * at a first use when the trust policy says so.
 *
 * A device that cannot be provisioned, or must not, is in the plan with its reason: two devices with one serial, one
 * key or one registration id are in conflict, all of them. Rejects only for an abort and with `ERR_OUT_OF_RANGE`.
 */
export async function makePlan(options: MakePlanOptions): Promise<ProvisioningPlan> {
  const { job, inventory, ports, onDevice } = options;
  const signal = options.signal ?? new AbortController().signal;
  const limits = checkLimits(options.limits);
  const bucket = new TokenBucket({
    perMinute: limits.cloudCallsPerMinute,
    burst: limits.cloudBurst,
    clock: ports.clock,
  });
  const { supplied, factoryDefault } = options.credentials;
  const redactor = new Redactor([supplied?.password, factoryDefault?.password, ...(options.secrets ?? [])]);
  const paced = {
    ...ports,
    enrollments: throttled(ports.enrollments, bucket),
    passwords: redactingPasswords(ports.passwords, redactor),
  };

  const looks = new Map<Keyed, Look | PlanProblem>();
  const keyed = withKeys(inventory);
  await runBounded(keyed, limits.concurrency, async (entry) => {
    if (signal.aborted) return;
    try {
      requireEligible(entry, keyed);
      looks.set(entry, await look(entry.device, { ...options, ports: paced, limits, signal }));
    } catch (error) {
      if (signal.aborted) return;
      looks.set(entry, describeError(error, redactor));
    }
    onDevice?.(planned(entry, looks.get(entry), looks));
  });
  signal.throwIfAborted();

  const devices = keyed.map((entry) => planned(entry, looks.get(entry), looks));
  return sealPlan({
    format: 'endorse-plan',
    version: 1,
    createdAt: ports.clock.now(),
    job,
    devices: devices.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
  });
}

interface Keyed {
  readonly key: string;
  readonly device: InventoryDevice;
}

function withKeys(inventory: readonly InventoryDevice[]): readonly Keyed[] {
  const counts = new Map<string, number>();
  return inventory.map((device) => {
    const serial = device.serial.toLowerCase();
    const count = (counts.get(serial) ?? 0) + 1;
    counts.set(serial, count);
    return { key: count === 1 ? serial : `${serial}#${count}`, device };
  });
}

function requireEligible({ device }: Keyed, all: readonly Keyed[]): void {
  const serial = device.serial.toLowerCase();
  const same = all.filter((other) => other.device.serial.toLowerCase() === serial);
  const reasons = device.ineligibleFor ?? [];
  if (same.length > 1 || reasons.includes('serial-conflict')) {
    const addresses = same.map((other) => other.device.address).join(', ');
    throw new ProvisioningError(
      'ERR_SERIAL_DUPLICATE',
      `several devices say they are ${device.serial}: ${addresses}`,
      {
        remedy: 'Look at the devices; give the inventory one row for each, with its real serial.',
      },
    );
  }
  if (reasons.length > 0) {
    throw new ProvisioningError(
      'ERR_DEVICE_INELIGIBLE',
      `${device.serial} must not be provisioned: ${reasons.join(', ')}`,
      {
        remedy: 'If it is one of yours, remove the reason from its row of the inventory.',
      },
    );
  }
  const registrationId = registrationIdFor(device.serial, device.registrationId);
  const twins = all.filter(
    (other) => (other.device.registrationId ?? other.device.serial).toLowerCase() === registrationId,
  );
  if (twins.length > 1) {
    throw new ProvisioningError(
      'ERR_SERIAL_DUPLICATE',
      `several devices have the registration id ${registrationId}`,
      {
        remedy: 'Give each device a registrationId of its own in the inventory.',
      },
    );
  }
}

async function look(
  device: InventoryDevice,
  options: MakePlanOptions & {
    readonly signal: AbortSignal;
    readonly limits: RunLimits & ReturnType<typeof checkLimits>;
  },
): Promise<Look> {
  const { job, ports, credentials, limits, signal } = options;
  const tried = await credentialsFor(device, credentials, ports.passwords);
  const context = { ...ports, signal, isStopping: () => false };
  return retrying(`look at ${device.serial}`, limits.retry, context, async (_attempt, bounded) => {
    const { session } = await signIn({
      client: openDeviceGateway(ports.openGateway, device),
      serial: device.serial,
      credentials: tried,
      acceptEula: credentials.acceptEula,
      signal: bounded,
    });
    try {
      return await observe({ session, device, job, ports, signal: bounded });
    } finally {
      await session.close();
    }
  });
}

function planned(
  { key, device }: Keyed,
  found: Look | PlanProblem | undefined,
  looks: ReadonlyMap<Keyed, Look | PlanProblem>,
): PlannedDevice {
  const base = { key, inventory: device };
  if (found === undefined) return { ...base, verdict: 'failed', warnings: [], steps: [] };
  if (!('observed' in found)) {
    return { ...base, verdict: verdictOf(found.code), problem: found, warnings: [], steps: [] };
  }
  const { registrationId, observed, steps, warnings } = found;
  const whole = { ...base, registrationId, observed, steps, warnings };
  const problem = keyProblem(found, looks) ?? enrollmentProblem(found);
  return problem === undefined ? { ...whole, verdict: 'ready' } : { ...whole, verdict: 'conflict', problem };
}

function verdictOf(code: string): PlannedDevice['verdict'] {
  if (code === 'ERR_DEVICE_INELIGIBLE') return 'skipped';
  if (conflictCodes.has(code)) return 'conflict';
  return blockedCodes.has(code) ? 'blocked' : 'failed';
}

/** One key on two devices: a cloned TPM, or one device under two addresses. */
function keyProblem(
  { observed }: Look,
  looks: ReadonlyMap<Keyed, Look | PlanProblem>,
): PlanProblem | undefined {
  const { endorsementKey } = observed;
  if (endorsementKey === undefined) return undefined;
  const same = [...looks].flatMap(([{ device }, other]) =>
    'observed' in other && other.observed.endorsementKey === endorsementKey ? [device.serial] : [],
  );
  if (same.length < 2) return undefined;
  return {
    code: 'ERR_KEY_DUPLICATE',
    message: `${same.join(' and ')} have the same endorsement key`,
    remedy: 'Find out which of them is real; none of them is enrolled.',
  };
}

function enrollmentProblem({ enrollment, registrationId }: Look): PlanProblem | undefined {
  if (enrollment.action !== 'conflict') return undefined;
  return {
    code: 'ERR_ENROLLMENT_CONFLICT',
    message: `${registrationId}: ${enrollment.reason}`,
    remedy: 'Find out whose enrollment this is. Delete it if it is an old one, then plan again.',
  };
}
