import { requireUnsigned } from '../bytes/bytes.ts';
import type { ResponseCodeRow, TpmRetryAdvice } from './entry.ts';
import type { FormatOneName } from './format-one.ts';
import { formatOneRows } from './format-one.ts';
import type { FormatZeroName } from './format-zero.ts';
import { formatZeroRows, versionOneRows } from './format-zero.ts';
import type { WarningName } from './warnings.ts';
import { warningRows } from './warnings.ts';

/**
 * Every name a response code can have, without `TPM_RC_`. `VENDOR` is a code the TPM's maker defined,
 * `TPM12` one of TPM 1.2, `SOFTWARE` one of a software layer, `UNKNOWN` one this version does not know.
 */
export type ResponseCodeName =
  | FormatZeroName
  | FormatOneName
  | WarningName
  | 'VENDOR'
  | 'TPM12'
  | 'SOFTWARE'
  | 'UNKNOWN';

/** What a format-one error is about: the first handle, parameter or session has the number 1. */
export interface ResponseCodeSubject {
  readonly kind: 'handle' | 'parameter' | 'session';
  /** Position in the command, from 1 (1 to 15 for a parameter, 1 to 7 otherwise). */
  readonly number: number;
}

/** A response code taken apart. */
export interface DecodedResponseCode {
  /** The whole code as it came, 32 bits. */
  readonly rc: number;
  /** Name without `TPM_RC_`, for example `INTEGRITY`. */
  readonly name: ResponseCodeName;
  /** 1 for codes that name their subject, 0 for all others. */
  readonly format: 0 | 1;
  /** Bits 16 to 23: 0 for the TPM itself, 11 for the kernel's resource manager, others for software stacks. */
  readonly layer: number;
  /** What the error is about, where the code says so. */
  readonly subject: ResponseCodeSubject | undefined;
  /** True for warnings: the command may succeed when it is sent again, or when the cause is gone. */
  readonly warning: boolean;
  /** What happened, in one clause. */
  readonly meaning: string;
  /** What to do, in one imperative sentence. */
  readonly remedy: string;
  /** What an executor may do by itself. */
  readonly retry: TpmRetryAdvice;
}

type Row = ResponseCodeRow<ResponseCodeName>;

/** Layers whose low 16 bits are a TPM's own response code: the TPM, the kernel's and tpm2-tss's resource managers. */
const tpmLayers: readonly number[] = [0, 11, 12];

/**
 * Decodes a 32-bit response code (Part 1, Response Code Evaluation; Part 2, 6.6). Total: every number from 0 to 2^32 - 1 has a result.
 * Throws `ERR_OUT_OF_RANGE` for any other number.
 */
export function decodeResponseCode(rc: number): DecodedResponseCode {
  requireUnsigned('rc', rc, 32);
  const layer = (rc >>> 16) & 0xff;
  const code = rc & 0xffff;
  const isFormatOne = tpmLayers.includes(layer) && rc >>> 24 === 0 && code < 0x1000 && (code & 0x80) !== 0;
  const [, name, meaning, remedy, retry = 'none'] = rowOf(rc, layer, code, isFormatOne);
  return Object.freeze({
    rc,
    name,
    format: isFormatOne ? 1 : 0,
    layer,
    subject: isFormatOne ? subjectOf(code) : undefined,
    warning: !isFormatOne && (code & 0x900) === 0x900 && name !== 'SOFTWARE',
    meaning,
    remedy,
    retry,
  });
}

/** One line for people: `TPM_RC_INTEGRITY (0x1df, parameter 1): the integrity check failed…`. */
export function formatResponseCode(decoded: DecodedResponseCode): string {
  const subject = decoded.subject === undefined ? '' : `, ${decoded.subject.kind} ${decoded.subject.number}`;
  return `TPM_RC_${decoded.name} (0x${decoded.rc.toString(16)}${subject}): ${decoded.meaning}`;
}

/** Every named response code of the tables, with the number its range starts at added; for listings and tests. */
export function listResponseCodes(): readonly { readonly rc: number; readonly name: ResponseCodeName }[] {
  const ranges: readonly (readonly [number, readonly Row[]])[] = [
    [0x000, versionOneRows],
    [0x080, formatOneRows],
    [0x100, formatZeroRows],
    [0x900, warningRows],
  ];
  return ranges.flatMap(([base, rows]) => rows.map(([number, name]) => ({ rc: base + number, name })));
}

function rowOf(rc: number, layer: number, code: number, isFormatOne: boolean): Row {
  if (rc >>> 24 !== 0 || code >= 0x1000) {
    return tpmLayers.includes(layer) ? unknownRow : softwareRow;
  }
  if (!tpmLayers.includes(layer)) return softwareRow;
  if (isFormatOne) return find(formatOneRows, code & 0x3f);
  // Bit 10 marks vendor codes, bit 8 TPM 2.0, bit 11 warnings (Part 2, 6.6.2).
  if ((code & 0x400) !== 0) return vendorRow;
  if ((code & 0x100) === 0) return versionOneRows.find(([number]) => number === code) ?? versionOneRow;
  if ((code & 0x200) !== 0) return unknownRow;
  return find((code & 0x800) === 0 ? formatZeroRows : warningRows, code & 0x7f);
}

function find(rows: readonly Row[], number: number): Row {
  return rows.find(([candidate]) => candidate === number) ?? unknownRow;
}

function subjectOf(code: number): ResponseCodeSubject | undefined {
  const number = (code >>> 8) & 0xf;
  if ((code & 0x40) !== 0) return subjectAt('parameter', number);
  return number < 8 ? subjectAt('handle', number) : subjectAt('session', number - 8);
}

/** Number 0 means that the TPM did not say which one. */
function subjectAt(kind: ResponseCodeSubject['kind'], number: number): ResponseCodeSubject | undefined {
  return number === 0 ? undefined : Object.freeze({ kind, number });
}

const unknownRow: Row = [
  0,
  'UNKNOWN',
  'a code that this version does not know',
  'Look the code up in a newer TPM 2.0 Library, Part 2.',
];
const vendorRow: Row = [
  0,
  'VENDOR',
  "a code that the TPM's maker defined",
  "Look the code up in the maker's documentation.",
];
const versionOneRow: Row = [0, 'TPM12', 'a code of TPM 1.2', 'Use a TPM 2.0.'];
const softwareRow: Row = [
  0,
  'SOFTWARE',
  'a code of a software layer between here and the TPM',
  'Look the code up in the documentation of that layer (bits 16 to 23).',
];
