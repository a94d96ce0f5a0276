import { directions, makeNetworkFault, networkFaultKinds, networkSteps } from './fault-case.ts';
import type { FaultCase } from './fault-case.ts';
import { carriers } from '../carriers.ts';
import { tpmFaults } from './tpm-proxy.ts';

/** Numbers of 0 or more and less than 1 that a seed repeats (mulberry32). */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Every carrier × attestation × step × kind of network fault × direction once, sizes from the seed. */
export function networkCells(next: () => number): FaultCase[] {
  return carriers.flatMap(({ name, capabilities }) =>
    capabilities.attestations.flatMap((attestation) =>
      networkSteps(attestation).flatMap((step) =>
        networkFaultKinds.flatMap((kind) =>
          directions.map((direction): FaultCase => ({
            carrier: name,
            attestation,
            injection: { where: 'network', step, direction, fault: makeNetworkFault(kind, next()) },
          })),
        ),
      ),
    ),
  );
}

/**
 * Every command of a TPM registration × fault of the TPM once. The carriers take turns: what the TPM does has
 * nothing to do with them, but what it interrupts has.
 */
export function tpmCells(commandCount: number): FaultCase[] {
  const tpmCarriers = carriers.filter(({ capabilities }) => capabilities.attestations.includes('tpm'));
  return tpmFaults.flatMap((fault, index) =>
    Array.from({ length: commandCount }, (_, command): FaultCase => ({
      carrier: tpmCarriers[(command + index) % tpmCarriers.length]?.name ?? 'http',
      attestation: 'tpm',
      injection: { where: 'tpm', command, fault },
    })),
  );
}

/** Cases beyond the cells: any cell, any size. Faults that cost the whole deadline are drawn less often. */
export function randomCases(next: () => number, count: number, commandCount: number): FaultCase[] {
  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[Math.floor(next() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  };
  const quickTpmFaults = tpmFaults.filter((fault) => fault !== 'stall');
  return Array.from({ length: count }, (): FaultCase => {
    const carrier = pick(carriers);
    const attestation = pick(carrier.capabilities.attestations);
    if (attestation === 'tpm' && next() < 0.4) {
      const command = Math.floor(next() * commandCount);
      return {
        carrier: carrier.name,
        attestation,
        injection: { where: 'tpm', command, fault: pick(quickTpmFaults) },
      };
    }
    const fault = makeNetworkFault(pick(networkFaultKinds), next());
    const step = pick(networkSteps(attestation));
    return {
      carrier: carrier.name,
      attestation,
      injection: { where: 'network', step, direction: pick(directions), fault },
    };
  });
}
