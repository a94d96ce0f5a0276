import type { RandomSource } from '@endorse/interface';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import type { EmulatorCore, EmulatorCoreOptions, EmulatorEvent } from '@endorse/emulator/core';
import { createEmulatorCore, createSeededRandom } from '@endorse/emulator/core';
import type { SoftwareTpm } from './software-tpm.ts';
import { deviceToken, softwareTpm } from './software-tpm.ts';

/** Randomness that repeats. */
export const seededRandom: (seed: string) => RandomSource = createSeededRandom;

/** A core with one enrolled device, on a virtual clock. */
export interface CoreFixture {
  readonly core: EmulatorCore;
  readonly clock: VirtualClock;
  readonly events: readonly EmulatorEvent[];
  readonly tpm: SoftwareTpm;
  readonly identity: { readonly idScope: string; readonly registrationId: string };
  /** Requests a challenge, opens it and signs a token under its key. */
  readonly solveChallenge: (lifetimeMs?: number) => Promise<string>;
}

export function coreFixture(options: Partial<EmulatorCoreOptions> = {}, seed = 'seed'): CoreFixture {
  const clock = new VirtualClock();
  const events: EmulatorEvent[] = [];
  const core = createEmulatorCore({
    clock,
    random: seededRandom(seed),
    onEvent: (event) => events.push(event),
    ...options,
  });
  const tpm = softwareTpm();
  const identity = { idScope: core.idScope, registrationId: 'device-1' };
  core.createTpmEnrollment({ registrationId: identity.registrationId, endorsementKey: tpm.endorsementKey });
  const solveChallenge = async (lifetimeMs = 3_600_000): Promise<string> => {
    const challenge = core.requestChallenge({ ...identity, ...keysOf(tpm) });
    if (challenge.outcome !== 'challenge') throw new Error(`no challenge: ${JSON.stringify(challenge)}`);
    const key = tpm.open(challenge.activationBlob);
    return deviceToken({ ...identity, key, expiresAt: clock.now() + lifetimeMs });
  };
  return { core, clock, events, tpm, identity, solveChallenge };
}

/** The public keys of a TPM as requests carry them. */
export function keysOf({ endorsementKey, storageRootKey }: SoftwareTpm): {
  readonly endorsementKey: Uint8Array;
  readonly storageRootKey: Uint8Array;
} {
  return { endorsementKey, storageRootKey };
}

/** Narrows an answer to the outcome a test expects. */
export function expectOutcome<
  Response extends { readonly outcome: string },
  Outcome extends Response['outcome'],
>(response: Response, outcome: Outcome): Extract<Response, { readonly outcome: Outcome }> {
  if (response.outcome === outcome) return response as Extract<Response, { readonly outcome: Outcome }>;
  throw new Error(`expected ${outcome}, got ${JSON.stringify(response)}`);
}
