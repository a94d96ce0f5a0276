import type { JsonObject } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { checkLinkedHubs } from '../allocation/linked-hub.ts';
import type { HubOptions } from '../emulator-options.ts';
import { decodeFaultRule } from '../faults/decode-fault-rule.ts';
import type { CaCertificate } from '../service-api/x509-enrollment.ts';
import type { EmulatorSeed } from './seed.ts';

/**
 * Reads a seed from whatever a file or a program gives. The enrollments themselves are looked at when they are written.
 * Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE` that names the member, for example `hubs[0].name`.
 */
export function decodeSeed(value: unknown): EmulatorSeed {
  const seed = asObject(value ?? {}, 'seed');
  refuseOthers(seed, '', ['hubs', 'caCertificates', 'enrollments', 'enrollmentGroups', 'faults']);
  const hubs = asList(seed['hubs'], 'hubs').map(decodeHub);
  if (hubs.length > 0) checkLinkedHubs(hubs, 'hubs');
  return {
    ...(hubs.length === 0 ? {} : { hubs }),
    caCertificates: asList(seed['caCertificates'], 'caCertificates').map(decodeCaCertificate),
    enrollments: asList(seed['enrollments'], 'enrollments').map(asRecord('enrollments')),
    enrollmentGroups: asList(seed['enrollmentGroups'], 'enrollmentGroups').map(asRecord('enrollmentGroups')),
    faults: asList(seed['faults'], 'faults').map((rule, index) => decodeFaultRule(rule, `faults[${index}]`)),
  };
}

function decodeHub(value: unknown, index: number): HubOptions {
  const where = `hubs[${index}]`;
  const hub = asObject(value, where);
  refuseOthers(hub, `${where}.`, [
    'name',
    'port',
    'allocationWeight',
    'applyAllocationPolicy',
    'latenciesMs',
  ]);
  const { port = 0, applyAllocationPolicy = true, latenciesMs = {} } = hub;
  if (!Number.isInteger(port) || Number(port) < 0 || Number(port) > 65_535) {
    throw new InvalidArgumentError(`${where}.port`, 'must be an integer from 0 to 65535', 'ERR_OUT_OF_RANGE');
  }
  if (typeof applyAllocationPolicy !== 'boolean') {
    throw new InvalidArgumentError(`${where}.applyAllocationPolicy`, 'must be true or false');
  }
  asObject(latenciesMs, `${where}.latenciesMs`);
  // Name, weight and latencies are checked with those of the options.
  return hub as unknown as HubOptions;
}

function decodeCaCertificate(value: unknown, index: number): CaCertificate {
  const where = `caCertificates[${index}]`;
  const ca = asObject(value, where);
  refuseOthers(ca, `${where}.`, ['name', 'certificate']);
  const { name, certificate } = ca;
  if (typeof name !== 'string') throw new InvalidArgumentError(`${where}.name`, 'must be text');
  if (typeof certificate !== 'string') {
    throw new InvalidArgumentError(`${where}.certificate`, 'must be PEM, or base64 of DER');
  }
  return { name, certificate };
}

function asRecord(collection: string): (value: unknown, index: number) => JsonObject {
  return (value, index) => asObject(value, `${collection}[${index}]`) as JsonObject;
}

function asObject(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new InvalidArgumentError(where, 'must be an object');
}

function asList(value: unknown, where: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new InvalidArgumentError(where, 'must be a list');
}

function refuseOthers(
  value: Readonly<Record<string, unknown>>,
  prefix: string,
  members: readonly string[],
): void {
  const other = Object.keys(value).find((key) => !members.includes(key));
  if (other === undefined) return;
  throw new InvalidArgumentError(`${prefix}${other}`, `is not known here; there are ${members.join(', ')}`);
}
