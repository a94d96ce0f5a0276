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

/** Shares of the busy time of a process, 0 to 1. */
export interface CryptographyShares {
  /** Under `node:internal/crypto`: RSA, HMAC, AES and hashes, with what Node.js does around them. */
  readonly keysAndTokens: number;
  /** That, and the native half of TLS: handshakes, and records with the system call that sends them. */
  readonly withTls: number;
}

/** Native methods of a TLS socket; a profile shows them without an address. */
const tlsMethods = new Set([
  'writeUtf8String',
  'writeBuffer',
  'writev',
  'init',
  'wrap',
  'start',
  'shutdown',
  'destroySSL',
]);

/** Where the busy time of an HTTPS server went. Every one of its sockets is a TLS socket. */
export function cryptographyShares({ nodes, samples, timeDeltas }: CpuProfile): CryptographyShares {
  const idle = idsOf(nodes, ({ functionName }) => functionName === '(idle)');
  const crypto = cryptographicNodes(nodes);
  const tls = idsOf(nodes, ({ functionName, url }) => url === '' && tlsMethods.has(functionName));
  const spent = { busy: 0, crypto: 0, tls: 0 };
  samples.forEach((id, index) => {
    if (idle.has(id)) return;
    const delta = timeDeltas[index] ?? 0;
    spent.busy += delta;
    if (crypto.has(id)) spent.crypto += delta;
    else if (tls.has(id)) spent.tls += delta;
  });
  return {
    keysAndTokens: spent.crypto / spent.busy,
    withTls: (spent.crypto + spent.tls) / spent.busy,
  };
}

function idsOf(
  nodes: CpuProfile['nodes'],
  matches: (callFrame: CpuProfile['nodes'][number]['callFrame']) => boolean,
): ReadonlySet<number> {
  return new Set(nodes.filter(({ callFrame }) => matches(callFrame)).map(({ id }) => id));
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
