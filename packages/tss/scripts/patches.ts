/**
 * What is changed in tss.js's own text, because it cannot be changed from outside.
 *
 * Each edit says how often it applies: a new tss.js that is written differently stops the build instead of
 * slipping through unmended.
 */
import { readFileSync } from 'node:fs';

/** One edit of one file. */
export interface Edit {
  readonly why: string;
  readonly find: RegExp;
  readonly replacement: string | ((match: string, ...groups: string[]) => string);
  /** How often it must apply. */
  readonly times: number;
}

/** Names of the fields that hold an unsigned 64-bit integer, by class. */
const wideFields: Readonly<Record<string, string>> = {
  TPMS_CLOCK_INFO: 'clock',
  TPMS_TIME_INFO: 'time',
  TPMS_TIME_ATTEST_INFO: 'firmwareVersion',
  TPMS_COMMAND_AUDIT_INFO: 'auditCounter',
  TPMS_ATTEST: 'firmwareVersion',
  TPMS_CONTEXT: 'sequence',
  TPM2_ClockSet_REQUEST: 'newTime',
  TPM2_NV_SetBits_REQUEST: 'bits',
};

/** Edits of the scripts, by file of `tss.js/lib`. */
export const scriptEdits: Readonly<Record<string, readonly Edit[]>> = {
  'TpmTypes.js': [
    {
      why: 'Buffer() is deprecated, and its warning is no longer hidden outside node_modules',
      find: /new Buffer\(2\)/g,
      replacement: 'Buffer.alloc(2)',
      times: 1,
    },
    {
      why: 'an algorithm id above 0x7fff does not fit a signed short',
      find: /algBuf\.writeInt16BE/g,
      replacement: 'algBuf.writeUInt16BE',
      times: 1,
    },
    {
      why: 'handles are unsigned',
      find: /\(TPM_HT\.(PERSISTENT|NV_INDEX) << 24\) \+ (\w+)/g,
      replacement: '(TPM_HT.$1 * 0x1000000) + $2',
      times: 2,
    },
    {
      why: 'handles are unsigned, whatever arithmetic a caller made them with',
      find: /_this\.handle = handle;(?=\s+\/\*\* Authorization value)/g,
      replacement: '_this.handle = handle >>> 0;',
      times: 1,
    },
    {
      why: 'the type of a handle is an unsigned byte',
      find: /this\.handle >> 24/g,
      replacement: 'this.handle >>> 24',
      times: 1,
    },
    {
      why: 'handle constants are unsigned',
      find: /(TPM_HC\["\w+"\] = )(-\d+)/g,
      replacement: (_match, head, value) => head + unsigned(value),
      times: 10,
    },
    {
      why: 'a structure whose union is not set must not vanish from the wire',
      find: /if \(this\.(\w+) == null\)\s+return;/g,
      replacement:
        'if (this.$1 == null) throw (0, TpmMarshaller_js_1.unsetField)(this.constructor.name, "$1");',
      times: 15,
    },
    {
      why: 'an unknown selector is malformed input',
      find: /throw new Error\('Unknown selector value ' \+ selector \+ ' for union ' \+ unionType\)/g,
      replacement: 'throw (0, TpmMarshaller_js_1.unknownSelector)(unionType, selector)',
      times: 1,
    },
    ...Object.entries(wideFields).map(([type, field]) => ({
      why: 'a 64-bit field is a bigint from the start',
      find: new RegExp(`(var ${type} = [^]*?if \\(${field} === void 0\\) \\{ ${field} = 0)(?=; \\})`, 'g'),
      replacement: '$1n',
      times: 1,
    })),
  ],
  'Tpm.js': [],
  'TpmStructure.js': [],
  'Crypt.js': [],
  'Tss.js': [
    {
      why: 'Buffer() is deprecated',
      find: /new Buffer\(0\)/g,
      replacement: 'Buffer.alloc(0)',
      times: 1,
    },
  ],
};

/** Edits of the declarations, by file of `tss.js/lib`. */
export const declarationEdits: Readonly<Record<string, readonly Edit[]>> = {
  'TpmTypes.d.ts': [
    {
      why: 'handle constants are unsigned',
      find: /( = )(-\d{4,})/g,
      replacement: (_match, head, value) => head + unsigned(value),
      times: 10,
    },
    {
      why: 'attributes are sets of bits: any combination of the members, not one of them',
      find: /(\??: )TPMA_\w+(?=(\[\])?[;,)])/g,
      replacement: '$1number',
      times: 24,
    },
    {
      why: 'bytes are no any',
      find: /static fromBytes\(buffer: any\)/g,
      replacement: 'static fromBytes(buffer: Uint8Array)',
      times: 351,
    },
    {
      why: 'constructors take null for no bytes',
      find: /(\w+\?: Buffer)(?=[,)])/g,
      replacement: '$1 | null',
      times: 220,
    },
    ...Object.entries(wideFields).flatMap(([type, field]) => [
      {
        why: 'a 64-bit field is a bigint',
        find: new RegExp(`(class ${type} [^]*?\\n    ${field}: )number(?=;)`, 'g'),
        replacement: '$1bigint',
        times: 1,
      },
      {
        why: 'a 64-bit field is a bigint',
        find: new RegExp(`(class ${type} [^]*?\\n    ${field}\\?: )number(?=[,)])`, 'g'),
        replacement: '$1bigint',
        times: 1,
      },
    ]),
  ],
  'Tpm.d.ts': [
    {
      why: 'our class extends this one',
      find: /export declare class Tpm extends TpmBase/g,
      replacement: 'export declare abstract class GeneratedTpm extends GeneratedTpmBase',
      times: 1,
    },
    {
      why: 'the base and the errors are ours',
      find: /import \{ TpmBase, TpmError \} from "\.\/TpmBase\.js";/g,
      replacement:
        'import type { EndorseError } from \'@endorse/interface\';\nimport { GeneratedTpmBase } from "./TpmBase.js";',
      times: 1,
    },
    {
      why: 'a 64-bit parameter is a bigint',
      find: /(?<=ClockSet\(.*newTime: |NV_SetBits\(.*bits: )number/g,
      replacement: 'bigint | number',
      times: 2,
    },
    {
      why: 'bytes may be left out',
      find: /(?<=[(,] ?\w+: )Buffer(?=[,)])/g,
      replacement: 'Uint8Array | null',
      times: 86,
    },
    {
      why: 'without a continuation a command returns a promise',
      find: /^ {4}(\w+)\((.*?)(?:, )?continuation: \(err: TpmError, res\?: (.*)\) => void\): void;$/gm,
      replacement: (_match, name, parameters, result) => {
        const separator = parameters === '' ? '' : ', ';
        const continuation = `continuation: (err: EndorseError | null, res?: ${result}) => void`;
        return (
          `    ${name}(${parameters}): Promise<${result}>;\n` +
          `    ${name}(${parameters}${separator}${continuation}): void;`
        );
      },
      times: 122,
    },
  ],
  'TpmStructure.d.ts': [
    {
      why: 'bytes are no any',
      find: /initFromBytes\(buffer: [^)]*\)/g,
      replacement: 'initFromBytes(buffer: Uint8Array)',
      times: 1,
    },
    {
      why: 'what a structure was read from stays with it',
      find: /(export declare class TpmStructure implements TpmMarshaller \{\n)/g,
      replacement:
        '$1    /** The bytes this was read from, when they came with their size in front; signatures are made over them. */\n' +
        '    readonly receivedBytes?: Buffer;\n',
      times: 1,
    },
  ],
  'Crypt.d.ts': [],
  'Tss.d.ts': [
    {
      why: 'null means none',
      find: /(\w+\?: Buffer)(?=[,)])/g,
      replacement: '$1 | null',
      times: 3,
    },
  ],
};

/** Reads a file of tss.js; some of them have the line ends of Windows. */
export function readLines(path: string): string {
  return readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
}

/** Applies edits. Throws when one does not apply as often as it says. */
export function applyEdits(file: string, text: string, edits: readonly Edit[]): string {
  return edits.reduce((current, { why, find, replacement, times }) => {
    const found = [...current.matchAll(find)].length;
    if (found !== times) {
      throw new Error(`${file}: expected ${times} places to mend, found ${found} (${why}): ${String(find)}`);
    }
    return typeof replacement === 'string'
      ? current.replace(find, replacement)
      : current.replace(find, (match: string, ...groups: string[]) => replacement(match, ...groups));
  }, text);
}

function unsigned(value: string): string {
  return String(Number(value) >>> 0);
}
