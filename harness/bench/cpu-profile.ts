/** A profile of the V8 sampling profiler, as far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/**
 * Share of busy time under `node:internal/crypto`: RSA, HMAC, AES and hashes with their calling code.
 * What TLS does in native code is counted as other work, so the true share is higher.
 */
export function shareOfCryptography({ nodes, samples, timeDeltas }: CpuProfile): number {
  const idle = new Set(
    nodes.filter(({ callFrame }) => callFrame.functionName === '(idle)').map(({ id }) => id),
  );
  const crypto = cryptographicNodes(nodes);
  let busy = 0;
  let inCrypto = 0;
  samples.forEach((id, index) => {
    if (idle.has(id)) return;
    const delta = timeDeltas[index] ?? 0;
    busy += delta;
    if (crypto.has(id)) inCrypto += delta;
  });
  return inCrypto / busy;
}

function cryptographicNodes(nodes: CpuProfile['nodes']): ReadonlySet<number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const found = new Set<number>();
  const collect = (id: number): void => {
    found.add(id);
    for (const child of byId.get(id)?.children ?? []) collect(child);
  };
  for (const { id, callFrame } of nodes) {
    if (callFrame.url.startsWith('node:internal/crypto/')) collect(id);
  }
  return found;
}
