/** Reads inventories. Every row is checked before anything is done with one; errors name row and field. */
import { parse as parseCsv } from 'csv-parse/sync';
import { parse as parseYaml } from 'yaml';
import { ProvisioningError } from '../errors.ts';
import { defined } from '../support/defined.ts';
import { ObjectReader } from '../support/read-object.ts';
import type { InventoryDevice, InventoryFormat } from './inventory.ts';
import { inventoryFields } from './inventory.ts';

/** A site with more gateways than this is provisioned in parts. */
export const maxInventoryDevices = 10_000;
const maxInventoryLength = 16 * 1024 * 1024;
/** Rows told of in one error: enough to see what is wrong, few enough to read. */
const maxProblemsTold = 10;

/** The format a file name stands for; undefined for another ending. */
export function inventoryFormatOf(fileName: string): InventoryFormat | undefined {
  const ending = /\.(csv|json|jsonl|ndjson|ya?ml)$/i.exec(fileName)?.[1]?.toLowerCase();
  if (ending === 'ndjson') return 'jsonl';
  return ending === 'yml' ? 'yaml' : (ending as InventoryFormat | undefined);
}

/**
 * Reads an inventory. Throws `ERR_INVENTORY` with the first ten problems: unknown columns, rows that lack serial or
 * address, values that cannot be. Serials that occur twice are no error here: the plan shows them as a conflict.
 */
export function readInventory(text: string, format: InventoryFormat): readonly InventoryDevice[] {
  if (text.length > maxInventoryLength) throw invalid(`the inventory is longer than ${maxInventoryLength}`);
  const rows = rowsOf(text.replace(/^\uFEFF/, ''), format);
  if (rows.length > maxInventoryDevices) throw invalid(`more than ${maxInventoryDevices} devices`);
  const problems: string[] = [];
  const devices = rows.flatMap(({ place, value }) => {
    try {
      return [readDevice(value, place)];
    } catch (error) {
      if (!(error instanceof ProvisioningError)) throw error;
      problems.push(error.message);
      return [];
    }
  });
  if (problems.length > 0) {
    const told = problems.slice(0, maxProblemsTold).join('; ');
    const more = problems.length > maxProblemsTold ? `; and ${problems.length - maxProblemsTold} more` : '';
    throw invalid(`${told}${more}`);
  }
  return devices;
}

interface Row {
  /** For messages: `row 3`. */
  readonly place: string;
  readonly value: unknown;
}

function rowsOf(text: string, format: InventoryFormat): readonly Row[] {
  switch (format) {
    case 'csv':
      return csvRows(text);
    case 'jsonl':
      return text
        .split('\n')
        .map((line, index) => ({ line: line.trim(), place: `line ${index + 1}` }))
        .filter(({ line }) => line !== '')
        .map(({ line, place }) => ({ place, value: parseJson(line, place) }));
    case 'json':
      return listRows(parseJson(text, 'the inventory'));
    case 'yaml':
      return listRows(readYaml(text));
    default:
      return format satisfies never;
  }
}

function listRows(value: unknown): readonly Row[] {
  if (!Array.isArray(value)) throw invalid('the inventory must be a list of devices');
  return value.map((entry: unknown, index) => ({ place: `device ${index + 1}`, value: entry }));
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(`${place} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function readYaml(text: string): unknown {
  try {
    return parseYaml(text, { maxAliasCount: 0, strict: true, uniqueKeys: true });
  } catch (cause) {
    throw invalid(`the inventory is not YAML: ${cause instanceof Error ? cause.message.split('\n')[0] : ''}`);
  }
}

function csvRows(text: string): readonly Row[] {
  let records: readonly {
    readonly record: Record<string, string>;
    readonly info: { readonly lines: number };
  }[];
  try {
    records = parseCsv(text, {
      columns: checkHeader,
      info: true,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: false,
    }) as unknown as typeof records;
  } catch (cause) {
    if (cause instanceof ProvisioningError) throw cause;
    throw invalid(cause instanceof Error ? cause.message : String(cause));
  }
  return records.map(({ record, info }) => ({ place: `row ${info.lines}`, value: fromCsv(record) }));
}

function checkHeader(header: readonly string[]): string[] {
  const names = header.map((name) => name.trim());
  const known: readonly string[] = inventoryFields;
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw invalid(
      `the header has a column "${unknown.slice(0, 40)}"; there are: ${inventoryFields.join(', ')}`,
    );
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`the header has the column "${twice}" twice`);
  for (const name of ['serial', 'address']) {
    if (!names.includes(name)) throw invalid(`the header has no column "${name}"`);
  }
  return names;
}

function fromCsv(record: Readonly<Record<string, string>>): unknown {
  const entries = Object.entries(record)
    // A writer of CSV puts ' in front of what a spreadsheet would calculate.
    .map(([name, value]) => [name, /^'[=+\-@\t\r]/.test(value) ? value.slice(1) : value] as const)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => {
      if (name === 'port' && /^\d{1,5}$/.test(value)) return [name, Number(value)];
      return name === 'ineligibleFor' ? [name, value.split(/[ ,;]+/)] : [name, value];
    });
  return Object.fromEntries(entries);
}

const plain = /^[^\p{C}\u2028\u2029]{1,128}$/u;

function readDevice(value: unknown, place: string): InventoryDevice {
  const row = new ObjectReader(value, place, inventoryFields, 'ERR_INVENTORY');
  const words = 'must be 1 to 128 printable characters';
  return {
    serial: row.text('serial', plain, words),
    address: row.text('address', /^[\w.:%-]{1,255}$/, 'must be a host name or an IP address without a port'),
    port: row.optionalInteger('port', 1, 65_535) ?? 8443,
    ...defined({
      path: row.optionalText('path', /^(\/[\w.~-]+)*$/, 'must be a path like /api/v1'),
      vendor: row.optionalText('vendor', plain, words),
      model: row.optionalText('model', plain, words),
      mac: row.optionalText('mac', /^[0-9A-Fa-f:-]{12,17}$/, 'must be a MAC address'),
      state: row.optionalWord('state', ['factory', 'claimed', 'unknown'] as const),
      fingerprint: row.optionalText(
        'fingerprint',
        /^(sha256:)?([0-9A-Fa-f]{2}:?){32}$/,
        'must be a SHA-256 in hex',
      ),
      registrationId: row.optionalText('registrationId', plain, words),
      deviceId: row.optionalText('deviceId', plain, words),
      hostName: row.optionalText('hostName', plain, words),
      endorsementKey: row.optionalText('endorsementKey', /^[A-Za-z0-9+/=\s]{8,4096}$/, 'must be base64'),
      ineligibleFor: row.optionalTexts('ineligibleFor'),
    }),
  };
}

function invalid(problem: string): ProvisioningError {
  return new ProvisioningError('ERR_INVENTORY', problem, {
    remedy: 'Correct the inventory; nothing was sent to any device.',
  });
}
