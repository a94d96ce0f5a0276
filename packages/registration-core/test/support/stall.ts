import type { ScriptStep, ScriptedTransport } from '@endorse/testkit';
import { createScriptedTransport } from '@endorse/testkit';
import type { StateName } from '@endorse/registration-core/machine';
import type { FakeTpm, TpmCall } from './fake-identities.ts';
import { createFakeTpm } from './fake-identities.ts';
import { happyTpmScript } from './scripts.ts';

/** A place where a TPM registration can be brought to a halt. */
export interface StallPoint {
  readonly name: string;
  /** The machine's state at that place. */
  readonly state: StateName;
  /** Which call stands still: the nth of the TPM, or the nth request of the session, from 0; neither: the first pause. */
  readonly tpm?: { readonly method: TpmCall['method']; readonly nth: number };
  readonly request?: number;
  /** How many requests a run stopped here has sent. */
  readonly sent: number;
}

/** Every place of the happy path, in order. */
export const stallPoints: readonly StallPoint[] = [
  {
    name: 'getEndorsementKey',
    state: 'reading-identity',
    tpm: { method: 'getEndorsementKey', nth: 0 },
    sent: 0,
  },
  {
    name: 'getStorageRootKey',
    state: 'reading-identity',
    tpm: { method: 'getStorageRootKey', nth: 0 },
    sent: 0,
  },
  {
    name: 'getRegistrationId',
    state: 'reading-identity',
    tpm: { method: 'getRegistrationId', nth: 0 },
    sent: 0,
  },
  { name: 'getAuthenticationChallenge', state: 'awaiting-challenge', request: 0, sent: 1 },
  {
    name: 'activateIdentityKey of the challenge',
    state: 'activating',
    tpm: { method: 'activateIdentityKey', nth: 0 },
    sent: 1,
  },
  { name: 'signWithIdentity', state: 'signing', tpm: { method: 'signWithIdentity', nth: 0 }, sent: 1 },
  { name: 'register', state: 'registering', request: 1, sent: 2 },
  { name: 'the pause before polling', state: 'waiting', sent: 2 },
  { name: 'queryOperationStatus', state: 'polling', request: 2, sent: 3 },
  {
    name: 'activateIdentityKey of the hub key',
    state: 'storing-credential',
    tpm: { method: 'activateIdentityKey', nth: 1 },
    sent: 4,
  },
];

/** Parts of a registration that stands still at one place until its signal is aborted. */
export interface StalledParts {
  readonly transport: ScriptedTransport;
  readonly securityClient: FakeTpm;
  /** True once the place is reached; for the pause, once the register request was answered. */
  readonly reached: () => boolean;
  /** What the stalled call's signal was aborted with. */
  readonly abortedWith: () => unknown;
}

/**
 * Brings the happy path to a halt at one place; the transport's script goes on with the whole happy path, for a second run.
 * `cleanUp` runs after the abort and before the stalled TPM call settles.
 */
export function stallAt(
  point: StallPoint,
  cleanUp: () => Promise<void> = async () => undefined,
): StalledParts {
  let reached = false;
  let abortedWith: unknown;
  let tpmCalls = 0;
  const stand = (signal: AbortSignal): Promise<never> => {
    reached = true;
    return new Promise((_resolve, reject) => {
      const onAbort = (): void => {
        abortedWith = signal.reason;
        const reason: unknown = signal.reason;
        void cleanUp().then(() => reject(reason));
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
  };
  const securityClient = createFakeTpm({
    hook: async ({ method }, signal) => {
      if (point.tpm?.method !== method) return;
      tpmCalls += 1;
      if (tpmCalls === point.tpm.nth + 1) await stand(signal);
    },
  });
  const isPause = point.tpm === undefined && point.request === undefined;
  const script = happyTpmScript.slice(0, point.sent).map((step, index): ScriptStep => {
    if (index === point.request) return standStill(step, stand);
    return isPause && step.call === 'register'
      ? { call: 'register', answer: { run: () => ((reached = true), replyOf(step)) } }
      : step;
  });
  return {
    transport: createScriptedTransport([...script, ...happyTpmScript]),
    securityClient,
    reached: () => reached,
    abortedWith: () => abortedWith,
  };
}

function standStill(step: ScriptStep, stand: (signal: AbortSignal) => Promise<never>): ScriptStep {
  const answer = { run: (_request: unknown, signal: AbortSignal) => stand(signal) };
  return { ...step, answer };
}

function replyOf(
  step: Extract<ScriptStep, { call: 'register' }>,
): Extract<typeof step.answer, { reply: unknown }>['reply'] {
  if (!('reply' in step.answer)) throw new Error('the happy script replies');
  return step.answer.reply;
}
