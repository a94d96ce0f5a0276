/** Looks at one gateway and at what the service knows of it, and decides every step. Nothing is written. */
import type { GatewaySession } from '@endorse/thingspro-edge';
import { planSettings } from '@endorse/thingspro-edge';
import { registrationIdFor } from '../endorsement-key.ts';
import type { EndorsementKey } from '../endorsement-key.ts';
import type { InventoryDevice } from '../inventory/inventory.ts';
import type { ProvisioningJob } from '../job/job.ts';
import type { ProvisioningPorts } from '../ports.ts';
import { decideEnrollment, findEnrollment } from '../steps/enrollment.ts';
import type { EnrollmentDecision } from '../steps/enrollment.ts';
import { readKey } from '../steps/read-key.ts';
import { phaseOf } from '../steps/settings.ts';
import type { SettingPhase } from '../steps/settings.ts';
import { findRegistration } from '../steps/verify.ts';
import { decideWriteBack } from '../steps/write-back.ts';
import { isEndorseError } from '@endorse/interface';
import { defined } from '../support/defined.ts';
import { desiredEnrollment, desiredSettings, desiredWriteBack } from './desired.ts';
import type { Observation, PlannedAction, PlannedStep, StepName } from './plan.ts';

/** What a look at one device brings. */
export interface Look {
  readonly registrationId: string;
  readonly observed: Observation;
  readonly steps: readonly PlannedStep[];
  readonly warnings: readonly string[];
  readonly key: EndorsementKey | undefined;
  readonly enrollment: EnrollmentDecision;
}

/** Looks at a device over a session that is signed in. Rejects with what stands in the way. */
export async function observe(options: {
  readonly session: GatewaySession;
  readonly device: InventoryDevice;
  readonly job: ProvisioningJob;
  readonly ports: ProvisioningPorts;
  readonly signal: AbortSignal;
}): Promise<Look> {
  const { session, device, job, ports, signal } = options;
  const registrationId = registrationIdFor(device.serial, device.registrationId);
  const known =
    device.endorsementKey === undefined
      ? undefined
      : Uint8Array.from(Buffer.from(device.endorsementKey, 'base64'));
  const key = await readShownKey(session, known, signal);
  const identity = await session.getIdentity({ signal });
  const { provisioning } = await session.getEdgeConfiguration({ signal });
  const settings = planSettings(await session.getSettings({ signal }), desiredSettings(job, device), {
    allowLockout: job.configure.allowLockout,
  });
  const current = await findEnrollment(ports.enrollments, registrationId, signal);
  const registration = await findRegistration(ports.enrollments, registrationId, signal);
  const enrollment: EnrollmentDecision =
    key === undefined
      ? { action: 'create', reason: 'the key is not shown yet' }
      : decideEnrollment(current, desiredEnrollment(job, device, registrationId, key.tpm2bPublic));
  const writeBack = desiredWriteBack(job, registrationId);
  const told = writeBack === undefined ? undefined : decideWriteBack(provisioning, writeBack);
  const hasOwnPassword = (await ports.passwords?.get(device.serial))?.[0]?.state === 'set';
  const certificate = await ports.findCertificate?.(device.serial);

  const step = (name: StepName, action: PlannedAction, reason: string): PlannedStep => ({
    step: name,
    action,
    reason,
  });
  const phase = (name: SettingPhase): PlannedStep => {
    const steps = settings.filter((setting) => phaseOf(setting) === name);
    const changes = steps.filter((setting) => setting.effect === 'change');
    if (steps.length === 0) return step(name, 'skip', 'nothing is asked for');
    if (changes.length > 0) {
      return step(
        name,
        'update',
        changes.map(({ name: setting, from, to }) => `${setting} ${from} to ${to}`).join(', '),
      );
    }
    const isThere = steps.some(({ effect }) => effect === 'unchanged');
    return isThere
      ? step(name, 'unchanged', 'as it shall be')
      : step(name, 'not-applicable', 'this gateway has none of it');
  };
  const noScope = 'the job has no ID scope';
  const steps: readonly PlannedStep[] = [
    step('sign-in', 'read', `${identity.modelName}, ${session.profile.family}`),
    key === undefined
      ? step('read-key', 'update', 'the key shows after DPS with TPM is selected')
      : step('read-key', 'read', `key ${key.fingerprint}…`),
    job.configure.time
      ? step('set-time', 'update', 'if it is off')
      : step('set-time', 'skip', 'not asked for'),
    step('enroll', enrollment.action, enrollment.reason),
    told === undefined ? step('write-back', 'skip', noScope) : step('write-back', told.action, told.reason),
    writeBack === undefined
      ? step('enable', 'skip', noScope)
      : step(
          'enable',
          provisioning.enabled ? 'unchanged' : 'update',
          provisioning.enabled ? 'is enabled' : 'let it connect',
        ),
    told?.needsReset === true
      ? step('reset', 'update', 'it was provisioned before, and has to register anew')
      : step('reset', 'skip', 'not needed'),
    phase('configure'),
    writeBack === undefined || job.verify.timeoutMs === 0
      ? step('verify', 'skip', writeBack === undefined ? noScope : 'not asked for')
      : step('verify', 'read', 'until the service says assigned'),
    passwordStep(job, ports, hasOwnPassword, step),
    phase('close-doors'),
    certificate === undefined
      ? step('replace-certificate', 'skip', 'there is none for it')
      : step('replace-certificate', 'update', 'if it shows another one'),
    phase('move-port'),
  ];
  return {
    registrationId,
    key,
    enrollment,
    steps,
    warnings: key?.warnings.map((warning) => `endorsement key: ${warning}`) ?? [],
    observed: {
      fingerprint: session.fingerprint,
      serialNumber: identity.serialNumber,
      modelName: identity.modelName,
      family: session.profile.family,
      passwordNeverChanged: session.user.passwordNeverChanged,
      ...(key === undefined ? {} : { endorsementKey: Buffer.from(key.tpm2bPublic).toString('base64') }),
      provisioning: defined({
        enabled: provisioning.enabled,
        source: provisioning.source,
        method: provisioning.method,
        scopeId: provisioning.scopeId,
        registrationId: provisioning.registrationId,
        globalEndpoint: provisioning.globalEndpoint,
      }),
      enrollment: current === undefined ? 'absent' : (current.etag ?? ''),
      registration: registration === undefined ? 'absent' : (registration.etag ?? ''),
      settings: Object.fromEntries(
        settings.flatMap((setting) =>
          setting.effect === 'not-applicable' ? [] : [[setting.name, setting.from]],
        ),
      ),
    },
  };
}

/** The key as it is shown now; undefined when the gateway may show it after a change that a plan does not make. */
async function readShownKey(
  session: GatewaySession,
  known: Uint8Array | undefined,
  signal: AbortSignal,
): Promise<EndorsementKey | undefined> {
  try {
    return await readKey({ session, known, signal });
  } catch (error) {
    if (isEndorseError(error) && error.code === 'ERR_GATEWAY_NO_ENDORSEMENT_KEY') return undefined;
    throw error;
  }
}

function passwordStep(
  { configure }: ProvisioningJob,
  { passwords }: ProvisioningPorts,
  hasOwn: boolean,
  step: (name: StepName, action: PlannedAction, reason: string) => PlannedStep,
): PlannedStep {
  if (!configure.rotatePassword) return step('rotate-password', 'skip', 'not asked for');
  if (passwords === undefined) return step('rotate-password', 'skip', 'there is no passwords file');
  return hasOwn
    ? step('rotate-password', 'unchanged', 'has its own password')
    : step('rotate-password', 'update', 'give it a password of its own');
}
