import { InvalidArgumentError } from '@endorse/interface';

/** A hub that is linked to the provisioning service, as the allocation policies see it. */
export interface LinkedHub {
  /**
   * What the hub is called here: 1 to 64 letters, digits and hyphens. Its devices and its share under `hashed` hang on
   * it, whatever port it listens on. Enrollments may name hubs by it instead of by `host:port`.
   */
  readonly name: string;
  /** Name with port under which devices reach it; what `assignedHub` carries. */
  readonly hostName: string;
  /** Its share of the devices under `hashed`, 1 to 1000; default 1. */
  readonly allocationWeight?: number;
  /** False for a hub that only enrollments which name it may use; default true. */
  readonly applyAllocationPolicy?: boolean;
  /**
   * Milliseconds to the hub for `geoLatency`, by the beginning of the registration id; the longest that fits counts,
   * and `''` fits all. A hub without a fitting one is the farthest. Default none.
   */
  readonly latenciesMs?: Readonly<Record<string, number>>;
}

/** Checks the hubs of an option. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
export function checkLinkedHubs(hubs: readonly Omit<LinkedHub, 'hostName'>[], argument: string): void {
  if (hubs.length === 0 || hubs.length > maxHubs) {
    throw new InvalidArgumentError(argument, `must be 1 to ${maxHubs} hubs`, 'ERR_OUT_OF_RANGE');
  }
  for (const [index, { name, allocationWeight = 1, latenciesMs = {} }] of hubs.entries()) {
    const where = `${argument}[${index}]`;
    if (typeof name !== 'string' || !/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/i.test(name)) {
      throw new InvalidArgumentError(
        `${where}.name`,
        'must be 1 to 64 letters, digits and hyphens, none of them at an end',
      );
    }
    if (!Number.isInteger(allocationWeight) || allocationWeight < 1 || allocationWeight > 1000) {
      throw new InvalidArgumentError(
        `${where}.allocationWeight`,
        'must be a whole number from 1 to 1000',
        'ERR_OUT_OF_RANGE',
      );
    }
    if (Object.values(latenciesMs).some((latencyMs) => !(latencyMs >= 0 && latencyMs < Infinity))) {
      throw new InvalidArgumentError(
        `${where}.latenciesMs`,
        'must be milliseconds, 0 or more',
        'ERR_OUT_OF_RANGE',
      );
    }
  }
  if (new Set(hubs.map(({ name }) => name.toLowerCase())).size !== hubs.length) {
    throw new InvalidArgumentError(argument, 'must have different names');
  }
}

/** Finds the hub that an enrollment names: by `host:port` or by name, without regard to case. */
export function findLinkedHub<Hub extends LinkedHub>(hubs: readonly Hub[], text: string): Hub | undefined {
  const wanted = text.toLowerCase();
  return (
    hubs.find(({ hostName }) => hostName.toLowerCase() === wanted) ??
    hubs.find(({ name }) => name.toLowerCase() === wanted)
  );
}

/** The service's own limit. */
const maxHubs = 50;
