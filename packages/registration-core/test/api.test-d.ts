/** Compiled, not run: the unions of the public types, and what they do not allow. */
import type { JsonValue, RegistrationResult, Transport, TpmSecurityClient } from '@endorse/interface';
import type {
  ProvisionedDevice,
  RegistrationFailedCode,
  RegistrationReason,
  RetryPolicy,
} from '@endorse/registration-core';
import { TpmRegistration, ensureProvisioned, register } from '@endorse/registration-core';
import type {
  EventOf,
  RegistrationEffect,
  RegistrationOutcome,
  StateName,
} from '@endorse/registration-core/machine';
import { states } from '@endorse/registration-core/machine';
import { ensureProvisioned as ensureProvisionedInFile } from '@endorse/registration-core/node';

declare const transport: Transport;
declare const securityClient: TpmSecurityClient;
const parts = { provisioningHost: 'host', idScope: 'scope', transport, securityClient } as const;

export const result: Promise<RegistrationResult> = register({ ...parts, retry: { maxRetries: 3 } });
// @ts-expect-error -- a registration needs an identity
void register({ provisioningHost: 'host', idScope: 'scope', transport });
// @ts-expect-error -- a misspelt bound would otherwise go unnoticed
void register({ ...parts, retry: { retries: 3 } });
// @ts-expect-error -- a signal belongs to one run, not to the object
void new TpmRegistration('host', 'scope', transport, securityClient, { signal: AbortSignal.abort() });
// @ts-expect-error -- the kind of the identity is part of the class
void new TpmRegistration('host', 'scope', transport, { ...securityClient, kind: 'x509' });

// The root wants a store, the node entry a file.
// @ts-expect-error -- the pure entry knows no files
void ensureProvisioned({ ...parts, stateFile: 'x' });
export const device: Promise<ProvisionedDevice> = ensureProvisionedInFile({ ...parts, stateFile: 'x' });

/** A reason is there exactly when the device registered. */
export function explain(found: ProvisionedDevice): RegistrationReason | 'reused' {
  // @ts-expect-error -- not before the source is known
  void found.reason;
  return found.source === 'registered' ? found.reason : 'reused';
}

/** Every way a run can end is told apart by `kind` and `why`. */
export function summarise(outcome: RegistrationOutcome): string {
  switch (outcome.kind) {
    case 'assigned':
      return 'assigned';
    case 'aborted':
      return outcome.code;
    case 'failed': {
      const code: string = outcome.code;
      if (outcome.why === 'rejected')
        return `${outcome.code satisfies RegistrationFailedCode} ${outcome.operation.status}`;
      return outcome.why === 'deadline' ? outcome.state : code;
    }
    default:
      return outcome satisfies never;
  }
}

export const everyStateIsDescribed: Readonly<Record<StateName, unknown>> = states;
export const blob: EventOf<'challenge-received'>['activationBlob'] = new Uint8Array();
export const effectName: RegistrationEffect['effect'] = 'sleep';
export const bounds: Required<RetryPolicy> = {} as RetryPolicy;
export const payload: JsonValue | undefined = (await result).payload;
