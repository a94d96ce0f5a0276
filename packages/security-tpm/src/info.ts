import type { SecurityClientOptions } from '@endorse/interface';
import { deriveRegistrationId } from '@endorse/protocol';
import { commands, tpmProperties } from '@endorse/tpm2';
import type { CapabilityKind } from '@endorse/tpm2';
import type { TpmDeviceKind } from './device/tpm-device.ts';
import type { TpmExecutor } from './executor/executor.ts';
import type { TpmScope } from './executor/scope.ts';
import { currentIdentityKey, readIdentitySlots } from './keys/identity-slots.ts';
import { planKeys } from './keys/key-plan.ts';
import type { KeyOptions } from './keys/key-plan.ts';
import { readKey } from './keys/read-key.ts';

/** What {@link tpmInfo} finds. Bytes are TPM2B_PUBLIC, size bytes included. */
export interface TpmInfo {
  /** How the TPM is reached. */
  readonly kind: TpmDeviceKind;
  /** True when somebody else swaps objects and sessions (`/dev/tpmrm0`, TBS). */
  readonly resourceManaged: boolean;
  /** Maker's code, for example `INTC`; padding removed. */
  readonly manufacturer: string;
  /** Maker's description, for example `SW   TPM`. */
  readonly vendor: string;
  /** Firmware version, 64 bits. */
  readonly firmwareVersion: bigint;
  /** The same as four decimal numbers of 16 bits. */
  readonly firmwareVersionText: string;
  /** Revision of the specification, for example `1.64`. */
  readonly specificationRevision: string;
  /** Undefined when none is persisted. */
  readonly endorsementKey: Uint8Array | undefined;
  /** Name of the endorsement key, to pin it. */
  readonly endorsementKeyName: Uint8Array | undefined;
  /** Undefined when none is persisted. */
  readonly storageRootKey: Uint8Array | undefined;
  /** Derived from the endorsement key; undefined without one. */
  readonly registrationId: string | undefined;
  /** Handle of the identity key in force. */
  readonly identityKeyHandle: number | undefined;
  /** Every persistent handle, ascending. */
  readonly persistentHandles: readonly number[];
  /** True while the TPM refuses keys that are protected against guessing. */
  readonly inLockout: boolean;
  /** Every property with a number (TPM_PT), as the TPM states it. */
  readonly properties: ReadonlyMap<number, number>;
}

/** Options of {@link tpmInfo}. */
export type TpmInfoOptions = SecurityClientOptions & KeyOptions;

const firstFixedProperty = 0x100;
const firstVariableProperty = 0x200;
const firstPersistentHandle = 0x8100_0000;
const pageSize = 64;
/** No TPM has as many values of one kind; a TPM that always says "more" must not keep us busy. */
const maxPages = 32;

/** Describes a TPM without changing it. Rejects as the executor does, and with `ERR_TPM_NAME_MISMATCH`. */
export async function tpmInfo(executor: TpmExecutor, options: TpmInfoOptions = {}): Promise<TpmInfo> {
  const plans = planKeys(options);
  const { signal } = options;
  return executor.exclusive(
    async (scope) => {
      const properties = await readProperties(scope, signal);
      const persistentHandles = await readPersistentHandles(scope, signal);
      const endorsementKey = await readKey(scope, plans.endorsementKey.handle, signal);
      const storageRootKey = await readKey(scope, plans.storageRootKey.handle, signal);
      const identityKey = currentIdentityKey(await readIdentitySlots(scope, 'alternate', signal));
      const firmwareVersion = firmwareVersionOf(properties);
      return Object.freeze({
        kind: executor.info.kind,
        resourceManaged: executor.info.resourceManaged,
        manufacturer: textOf(properties, [tpmProperties.manufacturer]),
        vendor: textOf(properties, [
          tpmProperties.vendorString1,
          tpmProperties.vendorString2,
          tpmProperties.vendorString3,
          tpmProperties.vendorString4,
        ]),
        firmwareVersion,
        firmwareVersionText: [48n, 32n, 16n, 0n]
          .map((shift) => (firmwareVersion >> shift) & 0xffffn)
          .join('.'),
        specificationRevision: ((properties.get(tpmProperties.revision) ?? 0) / 100).toFixed(2),
        endorsementKey: endorsementKey?.tpm2bPublic,
        endorsementKeyName: endorsementKey?.name,
        storageRootKey: storageRootKey?.tpm2bPublic,
        registrationId:
          endorsementKey === undefined ? undefined : deriveRegistrationId(endorsementKey.tpm2bPublic),
        identityKeyHandle: identityKey?.handle,
        persistentHandles,
        inLockout: ((properties.get(tpmProperties.permanent) ?? 0) & inLockoutBit) !== 0,
        properties,
      });
    },
    { signal },
  );
}

/** TPMA_PERMANENT.inLockout (Part 2, 8.6). */
const inLockoutBit = 0x200;

async function readProperties(
  scope: TpmScope,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, number>> {
  const properties = new Map<number, number>();
  for (const first of [firstFixedProperty, firstVariableProperty]) {
    await readPages(first, async (from) => {
      const { capabilityData } = await getCapability(scope, 'tpmProperties', from, signal);
      if (capabilityData.kind !== 'tpmProperties') return undefined;
      // Each group has 256 numbers; a TPM goes on with the next group when it comes to the end of one.
      const found = capabilityData.properties.filter(({ property }) => property < first + 0x100);
      for (const { property, value } of found) properties.set(property, value);
      return found.length < pageSize ? undefined : found[found.length - 1]?.property;
    });
  }
  return properties;
}

async function readPersistentHandles(
  scope: TpmScope,
  signal: AbortSignal | undefined,
): Promise<readonly number[]> {
  const found: number[] = [];
  await readPages(firstPersistentHandle, async (from) => {
    const { moreData, capabilityData } = await getCapability(scope, 'handles', from, signal);
    const listed = capabilityData.kind === 'handles' ? capabilityData.handles : [];
    found.push(...listed);
    return moreData ? listed[listed.length - 1] : undefined;
  });
  return Object.freeze(found);
}

/** Reads page after page; `read` returns the last number it saw, or undefined at the end. */
async function readPages(first: number, read: (from: number) => Promise<number | undefined>): Promise<void> {
  let from = first;
  for (let page = 0; page < maxPages; page += 1) {
    const last = await read(from);
    if (last === undefined || last < from) return;
    from = last + 1;
  }
}

function getCapability(
  scope: TpmScope,
  capability: CapabilityKind,
  property: number,
  signal: AbortSignal | undefined,
): Promise<ReturnType<typeof commands.GetCapability.decodeResponse>> {
  return scope.execute(commands.GetCapability, { capability, property, propertyCount: pageSize }, { signal });
}

function firmwareVersionOf(properties: ReadonlyMap<number, number>): bigint {
  const high = BigInt(properties.get(tpmProperties.firmwareVersion1) ?? 0);
  return (high << 32n) | BigInt(properties.get(tpmProperties.firmwareVersion2) ?? 0);
}

/** Four characters in each property; makers pad with zeros or blanks. */
function textOf(properties: ReadonlyMap<number, number>, names: readonly number[]): string {
  const bytes = Buffer.alloc(names.length * 4);
  names.forEach((name, index) => bytes.writeUInt32BE(properties.get(name) ?? 0, index * 4));
  return bytes.toString('latin1').replaceAll('\0', '').trim();
}
