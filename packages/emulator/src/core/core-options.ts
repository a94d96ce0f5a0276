import type { Clock, RandomSource } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import type { AllocationPolicy } from '@endorse/protocol';
import { validateIdScope } from '@endorse/protocol';
import type { AccessPolicy } from '../service-api/access-policies.ts';
import type { Allocate } from '../allocation/allocation.ts';
import type { LinkedHub } from '../allocation/linked-hub.ts';
import { checkLinkedHubs } from '../allocation/linked-hub.ts';
import type { CallWebHook } from '../allocation/web-hook.ts';
import type { NonceForm } from '../drs/encrypt-nonce.ts';
import { nonceForms } from '../drs/encrypt-nonce.ts';
import type { DeviceExchange } from '../faults/fault-injection.ts';
import type { FaultRule } from '../faults/fault-rule.ts';
import { decodeFaultRule } from '../faults/decode-fault-rule.ts';
import type { EmulatorEvent } from './events.ts';
import type { Quotas } from './quotas.ts';
import { checkQuotas } from './quotas.ts';
import type { Strictness } from './strictness.ts';
import { strictnessLevels } from './strictness.ts';
import type { EmulatorStore } from './store.ts';

/** Options of `createEmulatorCore`. */
export interface EmulatorCoreOptions {
  /** The service's time; a virtual clock makes expiry, skew and timeouts testable. */
  readonly clock: Clock;
  /** Source of every key, seed and id; a seeded one makes blobs and ids repeatable. */
  readonly random: RandomSource;
  /** ID scope, 1 to 64 letters and digits; default `0ne00000000`. */
  readonly idScope?: string;
  /** The linked hubs, 1 to 50; default one, `hub` at `hub.endorse.test`. */
  readonly hubs?: readonly LinkedHub[];
  /** The allocation policy of enrollments that name none; default `hashed`. */
  readonly allocationPolicy?: Exclude<AllocationPolicy, 'custom'>;
  /** Host names, without ports, under which service and hubs may be addressed in tokens; default the loopback ones. */
  readonly hostnames?: readonly string[];
  /** Shared access policies of the service API; default `provisioningserviceowner` with fresh keys. At least one. */
  readonly policies?: readonly AccessPolicy[];
  /** Pause asked for while an operation runs, in seconds, 0 to 3600; default 0. The real service says 3. */
  readonly retryAfterSeconds?: number;
  /** How long an operation stays `assigning`, in milliseconds; default 0: the first poll finds it decided. */
  readonly assigningDurationMs?: number;
  /** How the `/drs/` dialect hides its nonce; default `encrypted-data`. */
  readonly drsNonceForm?: NonceForm;
  /** Decides where devices go, in the place of every allocation policy. */
  readonly allocate?: Allocate;
  /** Asks the web-hooks of `custom` allocation; without it they fail. */
  readonly callWebHook?: CallWebHook;
  /** Where enrollments and registrations are kept; default in memory. */
  readonly store?: EmulatorStore;
  /** Rates and counts above which requests are refused with 429 and 403; default none. {@link serviceQuotas} are those of the service. */
  readonly quotas?: Quotas;
  /** `loose` takes what the service takes, `strict` only what its documentation allows; default `loose`. */
  readonly strictness?: Strictness;
  /** What goes wrong on purpose; default nothing. */
  readonly faults?: readonly FaultRule[];
  /** How many telemetry messages are kept, 1 to 100,000; default 1000, and never more than 16 MiB. */
  readonly maxTelemetryMessages?: number;
  /** Told of every request of the device API with its answer, credentials included: not for logs. Must not throw. */
  readonly onDeviceExchange?: (exchange: DeviceExchange) => void;
  /** Receives every {@link EmulatorEvent}. What it throws is ignored. */
  readonly onEvent?: (event: EmulatorEvent) => void;
}

/** The ID scope of an emulator that was not given one. */
export const defaultIdScope = '0ne00000000';

/** What {@link checkCoreOptions} looks at; the hubs of an emulator have no host names yet. */
export type CheckedOptions = Omit<EmulatorCoreOptions, 'clock' | 'random' | 'hubs'> & {
  readonly hubs?: readonly Omit<LinkedHub, 'hostName'>[];
};

/** Checks the options that can be wrong. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
export function checkCoreOptions(options: CheckedOptions): void {
  const { idScope, policies, maxTelemetryMessages, retryAfterSeconds, assigningDurationMs } = options;
  validateIdScope(idScope ?? defaultIdScope, 'options.idScope');
  if (policies?.length === 0)
    throw new InvalidArgumentError('options.policies', 'must hold at least one policy');
  const names = new Set(policies?.map(({ name }) => name.toLowerCase()));
  if (policies !== undefined && names.size !== policies.length) {
    throw new InvalidArgumentError('options.policies', 'must have different names');
  }
  if (options.hubs !== undefined) checkLinkedHubs(options.hubs, 'options.hubs');
  for (const [index, rule] of (options.faults ?? []).entries())
    decodeFaultRule(rule, `options.faults[${index}]`);
  const { allocationPolicy = 'hashed', strictness = 'loose' } = options;
  if (!strictnessLevels.includes(strictness)) {
    throw new InvalidArgumentError('options.strictness', `must be one of ${strictnessLevels.join(', ')}`);
  }
  if (!instancePolicies.includes(allocationPolicy)) {
    throw new InvalidArgumentError(
      'options.allocationPolicy',
      `must be one of ${instancePolicies.join(', ')}`,
    );
  }
  if (options.drsNonceForm !== undefined && !nonceForms.includes(options.drsNonceForm)) {
    throw new InvalidArgumentError('options.drsNonceForm', `must be one of ${nonceForms.join(', ')}`);
  }
  checkQuotas(options.quotas ?? {});
  checkNumber('maxTelemetryMessages', maxTelemetryMessages ?? 1000, 1, 100_000);
  checkNumber('retryAfterSeconds', retryAfterSeconds ?? 0, 0, 3600);
  checkNumber('assigningDurationMs', assigningDurationMs ?? 0, 0, 86_400_000);
}

// The service has no instance-wide web-hook.
const instancePolicies: readonly string[] = ['hashed', 'geoLatency', 'static'];

function checkNumber(name: string, value: number, minimum: number, maximum: number): void {
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return;
  throw new InvalidArgumentError(
    `options.${name}`,
    `must be a whole number from ${minimum} to ${maximum}`,
    'ERR_OUT_OF_RANGE',
  );
}
