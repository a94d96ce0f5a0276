import { systemRandom } from '@endorse/interface/node';
import { joinActivationBlob } from '@endorse/protocol';
import { createTpmSecurityClient, openTpmDevice } from '@endorse/security-tpm';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import type { ActivationParts } from '@endorse/tpm2';
import { runRawCeremony, wrapFreshKey } from './raw-ceremony.ts';
import type { Summary } from '../support/statistics.ts';
import { medianRatio, summarize } from '../support/statistics.ts';

/** One activation and one signature on swtpm, in milliseconds. */
export interface CeremonyFigures {
  /** The same commands without sessions or checks. */
  readonly raw: Summary;
  /** The client with `sessions: 'none'`. */
  readonly unprotected: Summary;
  /** The client as it is by default. */
  readonly protected: Summary;
  readonly unprotectedToRaw: number;
  readonly protectedToRaw: number;
}

/** Each variant in turn, on a simulator each, so that none sees another's keys; the load is the machine's alike. */
export async function measureCeremony({ rounds }: { readonly rounds: number }): Promise<CeremonyFigures> {
  await using resources = new AsyncDisposableStack();
  const data = systemRandom.bytes(100);
  const rawSimulator = resources.use(await startTpmSimulator({ provisioned: true }));
  const device = await openTpmDevice(rawSimulator.address);
  resources.defer(() => device.close());

  const clientOf = async (sessions: 'protected' | 'none') => {
    const simulator = resources.use(await startTpmSimulator({ provisioned: true }));
    const client = resources.use(await createTpmSecurityClient({ tpm: simulator.address, sessions }));
    // Both were copied from one state, so a blob for one TPM fits all three.
    return async (parts: ActivationParts): Promise<void> => {
      await client.activateIdentityKey(joinActivationBlob(parts));
      await client.signWithIdentity(data);
    };
  };
  const variants = {
    raw: (parts: ActivationParts) => runRawCeremony(device, parts, data),
    unprotected: await clientOf('none'),
    protected: await clientOf('protected'),
  };
  const samples: Record<keyof typeof variants, number[]> = { raw: [], unprotected: [], protected: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const variant of ['raw', 'unprotected', 'protected'] as const) {
      const parts = await wrapFreshKey(device, systemRandom);
      const startedAt = performance.now();
      await variants[variant](parts);
      const durationMs = performance.now() - startedAt;
      // The first round pays for compilation and the simulator's own start.
      if (round > 0) samples[variant].push(durationMs);
    }
  }
  return {
    raw: summarize(samples.raw),
    unprotected: summarize(samples.unprotected),
    protected: summarize(samples.protected),
    unprotectedToRaw: medianRatio(samples.unprotected, samples.raw),
    protectedToRaw: medianRatio(samples.protected, samples.raw),
  };
}
