import { InvalidArgumentError } from '@endorse/interface';
import type { HashAlgorithm } from '../algorithms.ts';
import { hashAlgorithms } from '../algorithms.ts';
import type { ByteReader } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';

/** TPMS_PCR_SELECTION (Part 2, 10.6.2): some registers of one bank. */
export interface PcrSelection {
  readonly hash: HashAlgorithm;
  /** Register numbers, ascending: 0 to 23 on a PC. */
  readonly registers: readonly number[];
}

/** The number of registers every PC client TPM has; selections are padded to so many bits. */
const minPcrs = 24;
/** The highest number of selections in one list (HASH_COUNT of the largest known TPM). */
const maxSelections = 16;

/** Writes TPML_PCR_SELECTION. */
export function writePcrSelections(
  writer: ByteWriter,
  selections: readonly PcrSelection[],
  argument: string,
): void {
  writer.u32(selections.length, argument);
  for (const { hash, registers } of selections) {
    hashAlgorithms.write(writer, hash, `${argument}.hash`);
    const highest = registers.reduce((maximum, register) => Math.max(maximum, register), minPcrs - 1);
    const select = new Uint8Array(Math.floor(highest / 8) + 1);
    for (const register of registers) {
      if (!Number.isInteger(register) || register < 0 || register > 255) {
        throw new InvalidArgumentError(
          `${argument}.registers`,
          'must be numbers from 0 to 255',
          'ERR_OUT_OF_RANGE',
        );
      }
      select[register >>> 3] = (select[register >>> 3] ?? 0) | (1 << (register & 7));
    }
    writer.u8(select.byteLength, argument).bytes(select, argument);
  }
}

/** Reads TPML_PCR_SELECTION. Banks of hashes that this package does not know are refused. */
export function readPcrSelections(reader: ByteReader, field: string): readonly PcrSelection[] {
  const count = reader.count(field, 3);
  if (count > maxSelections) reader.fail(field, `has ${count} elements, more than ${maxSelections}`, 4);
  const selections: PcrSelection[] = [];
  for (let index = 0; index < count; index += 1) {
    const hash = hashAlgorithms.read(reader, `${field}[${index}].hash`);
    const select = reader.bytes(reader.u8(`${field}[${index}].sizeofSelect`), `${field}[${index}].select`);
    const registers: number[] = [];
    for (let register = 0; register < select.byteLength * 8; register += 1) {
      if ((((select[register >>> 3] ?? 0) >>> (register & 7)) & 1) === 1) registers.push(register);
    }
    selections.push(Object.freeze({ hash, registers: Object.freeze(registers) }));
  }
  return Object.freeze(selections);
}
