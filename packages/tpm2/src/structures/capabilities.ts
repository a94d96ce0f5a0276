import { InvalidArgumentError } from '@endorse/interface';
import { CodeTable } from '../algorithms.ts';
import type { ByteReader } from '../bytes/byte-reader.ts';

/** What GetCapability can be asked for (Part 2, 6.12 TPM_CAP). */
export type CapabilityKind =
  | 'algorithms'
  | 'handles'
  | 'commands'
  | 'ppCommands'
  | 'auditCommands'
  | 'tpmProperties'
  | 'eccCurves';

/** An algorithm identifier and its attributes (TPMS_ALG_PROPERTY). */
export interface AlgorithmProperty {
  /** TPM_ALG_ID; a number, because a TPM may know more than this package. */
  readonly algorithm: number;
  /** TPMA_ALGORITHM bits. */
  readonly attributes: number;
}

/** A property and its value (TPMS_TAGGED_PROPERTY). */
export interface TpmProperty {
  /** TPM_PT; see `tpmProperties`. */
  readonly property: number;
  /** What it means depends on the property: a count, a size in bytes, seconds, or four ASCII characters. */
  readonly value: number;
}

/** TPMS_CAPABILITY_DATA (Part 2, 10.10.2), discriminated by `kind`. */
export type CapabilityData =
  | { readonly kind: 'algorithms'; readonly algorithms: readonly AlgorithmProperty[] }
  | { readonly kind: 'handles'; readonly handles: readonly number[] }
  | { readonly kind: 'commands'; readonly attributes: readonly number[] }
  | { readonly kind: 'ppCommands' | 'auditCommands'; readonly commandCodes: readonly number[] }
  | { readonly kind: 'tpmProperties'; readonly properties: readonly TpmProperty[] }
  | { readonly kind: 'eccCurves'; readonly curves: readonly number[] };

/** Properties of a TPM (Part 2, 6.13 TPM_PT) that the ceremony and its diagnostics read. */
export const tpmProperties = {
  familyIndicator: 0x100,
  level: 0x101,
  revision: 0x102,
  dayOfYear: 0x103,
  year: 0x104,
  manufacturer: 0x105,
  vendorString1: 0x106,
  vendorString2: 0x107,
  vendorString3: 0x108,
  vendorString4: 0x109,
  vendorTpmType: 0x10a,
  firmwareVersion1: 0x10b,
  firmwareVersion2: 0x10c,
  inputBuffer: 0x10d,
  hrTransientMin: 0x10e,
  hrPersistentMin: 0x10f,
  hrLoadedMin: 0x110,
  activeSessionsMax: 0x111,
  contextGapMax: 0x114,
  maxCommandSize: 0x11e,
  maxResponseSize: 0x11f,
  maxDigest: 0x120,
  nvBufferMax: 0x12c,
  permanent: 0x200,
  startupClear: 0x201,
  hrTransientAvailable: 0x207,
  hrLoaded: 0x203,
  hrLoadedAvailable: 0x204,
  hrActive: 0x205,
  hrActiveAvailable: 0x206,
  hrPersistent: 0x208,
  hrPersistentAvailable: 0x209,
  lockoutCounter: 0x20e,
  maxAuthFail: 0x20f,
  lockoutInterval: 0x210,
  lockoutRecovery: 0x211,
} as const;

/** TPM_CAP. */
export const capabilityKinds: CodeTable<CapabilityKind> = new CodeTable('capability', [
  ['algorithms', 0],
  ['handles', 1],
  ['commands', 2],
  ['ppCommands', 3],
  ['auditCommands', 4],
  ['tpmProperties', 6],
  ['eccCurves', 8],
]);

/** Reads TPMS_CAPABILITY_DATA. */
export function readCapabilityData(reader: ByteReader): CapabilityData {
  const code = reader.u32('capability');
  const kind = capabilityKinds.wordOf(code);
  switch (kind) {
    case 'algorithms':
      return Object.freeze({
        kind,
        algorithms: readList(reader, 'algorithms', 6, () =>
          Object.freeze({ algorithm: reader.u16('algorithm'), attributes: reader.u32('attributes') }),
        ),
      });
    case 'handles':
      return Object.freeze({ kind, handles: readList(reader, 'handles', 4, () => reader.u32('handle')) });
    case 'commands':
      return Object.freeze({
        kind,
        attributes: readList(reader, 'attributes', 4, () => reader.u32('attributes')),
      });
    case 'ppCommands':
    case 'auditCommands':
      return Object.freeze({
        kind,
        commandCodes: readList(reader, 'commandCodes', 4, () => reader.u32('commandCode')),
      });
    case 'tpmProperties':
      return Object.freeze({
        kind,
        properties: readList(reader, 'properties', 8, () =>
          Object.freeze({ property: reader.u32('property'), value: reader.u32('value') }),
        ),
      });
    case 'eccCurves':
      return Object.freeze({ kind, curves: readList(reader, 'curves', 2, () => reader.u16('curve')) });
    case undefined:
      return reader.fail('capability', `is 0x${code.toString(16)}, which was not asked for`, 4);
    default:
      throw new InvalidArgumentError('kind', `is unknown: ${String(kind satisfies never)}`);
  }
}

function readList<Value>(
  reader: ByteReader,
  field: string,
  elementSize: number,
  read: () => Value,
): readonly Value[] {
  const count = reader.count(field, elementSize);
  return Object.freeze(Array.from({ length: count }, read));
}
