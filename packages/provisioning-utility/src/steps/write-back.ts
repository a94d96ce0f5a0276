/** Telling the gateway where to register, as what; and making it do so. */
import type { EdgeConfiguration, GatewaySession } from '@endorse/thingspro-edge';
import { ProvisioningError } from '../errors.ts';
import type { StepOptions, StepOutcome } from './step-outcome.ts';

/** What the gateway shall know. */
export interface DesiredWriteBack {
  readonly scopeId: string;
  readonly registrationId: string;
  /** `https://host[:port]`. */
  readonly globalEndpoint: string;
}

/** What a plan saw of the gateway's provisioning; undefined where it showed nothing. */
export interface ObservedProvisioning {
  /** True once the gateway was told to connect. */
  readonly enabled: boolean;
  readonly source?: string | undefined;
  readonly method?: string | undefined;
  readonly scopeId?: string | undefined;
  readonly registrationId?: string | undefined;
  readonly globalEndpoint?: string | undefined;
}

/** What has to be done, and why. Pure. */
export function decideWriteBack(
  current: ObservedProvisioning,
  desired: DesiredWriteBack,
): { readonly action: 'update' | 'unchanged'; readonly reason: string; readonly needsReset: boolean } {
  const wanted = { source: 'dps', method: 'tpm', ...desired };
  const differing = Object.entries(wanted)
    .filter(([name, value]) => current[name as keyof typeof wanted] !== value)
    .map(([name]) => name);
  if (differing.length === 0) {
    return { action: 'unchanged', reason: 'the gateway knows it already', needsReset: false };
  }
  return {
    action: 'update',
    reason: `differs in ${differing.join(', ')}`,
    // A gateway that was provisioned keeps its old hub when only its settings change.
    needsReset: current.enabled,
  };
}

/**
 * Writes ID scope, registration id and endpoint if they differ, and reads them back.
 *
 * `planned` is what a plan saw; a gateway that has neither that nor what it shall have was changed by somebody else:
 * `ERR_PLAN_STALE`. `ERR_WRITE_NOT_KEPT` when the gateway says yes and shows something else.
 *
 * @example
 * ```js
 * import { ensureEnabled, ensureWriteBack } from '@endorse/provisioning-utility';
 *
 * export async function tell(session, scopeId, registrationId) {
 *   const globalEndpoint = 'https://global.azure-devices-provisioning.net';
 *   const signal = AbortSignal.timeout(60_000);
 *   await ensureWriteBack({ session, desired: { scopeId, registrationId, globalEndpoint }, signal });
 *   return ensureEnabled({ session, signal });
 * }
 * ```
 */
export async function ensureWriteBack(
  options: StepOptions & {
    readonly session: Pick<GatewaySession, 'getEdgeConfiguration' | 'writeProvisioning'>;
    readonly desired: DesiredWriteBack;
    readonly planned?: ObservedProvisioning | undefined;
  },
): Promise<StepOutcome> {
  const { session, desired, planned, signal, onWrite } = options;
  const { provisioning } = await session.getEdgeConfiguration({ signal });
  const { action, reason } = decideWriteBack(provisioning, desired);
  const facts = { ...desired };
  if (action === 'unchanged') return { result: 'unchanged', detail: reason, facts };
  requireAsPlanned(provisioning, planned);
  await onWrite?.(`write the ID scope: ${reason}`);
  await session.writeProvisioning(desired, { signal });
  const written = await session.getEdgeConfiguration({ signal });
  const after = decideWriteBack(written.provisioning, desired);
  if (after.action === 'unchanged') return { result: 'changed', detail: reason, facts };
  throw new ProvisioningError(
    'ERR_WRITE_NOT_KEPT',
    `the gateway took the ID scope, and ${after.reason} afterwards`,
    {
      remedy: 'Look at the gateway, then resume.',
    },
  );
}

/** Lets the gateway connect, if it does not yet. */
export async function ensureEnabled(
  options: StepOptions & {
    readonly session: Pick<GatewaySession, 'getEdgeConfiguration' | 'setProvisioningEnabled'>;
  },
): Promise<StepOutcome> {
  const { session, signal, onWrite } = options;
  const { provisioning } = await session.getEdgeConfiguration({ signal });
  if (provisioning.enabled) return { result: 'unchanged', detail: 'provisioning is enabled' };
  await onWrite?.('enable provisioning');
  await session.setProvisioningEnabled(true, { signal });
  return { result: 'changed', detail: 'enabled' };
}

/** Makes a gateway that was provisioned before register anew, and waits until its runtime is back. */
export async function resetRuntime(
  options: StepOptions & {
    readonly session: Pick<GatewaySession, 'resetEdge' | 'waitForEdgeRuntime'>;
    /** How long to wait, in milliseconds. */
    readonly timeoutMs: number;
  },
): Promise<StepOutcome> {
  const { session, timeoutMs, signal, onWrite } = options;
  await onWrite?.('reset IoT Edge');
  await session.resetEdge({ signal });
  const { runtime } = await session.waitForEdgeRuntime({ timeoutMs, signal });
  return { result: 'changed', detail: `reset, ${runtime.status ?? 'no status'}` };
}

function requireAsPlanned(
  current: EdgeConfiguration['provisioning'],
  planned: ObservedProvisioning | undefined,
): void {
  if (planned === undefined) return;
  // Source and method may have been selected by us, to make the key show.
  const moved = (['scopeId', 'registrationId', 'globalEndpoint'] as const).filter(
    (name) => current[name] !== planned[name],
  );
  if (moved.length === 0) return;
  throw new ProvisioningError(
    'ERR_PLAN_STALE',
    `the gateway's ${moved.join(', ')} changed since the plan was made`,
    {
      remedy: 'Find out who else sets this gateway up, then make a new plan.',
    },
  );
}
