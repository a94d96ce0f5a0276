import { stringify } from 'yaml';
import { formatCsv } from '../support/csv.ts';
import type { InventoryDevice, InventoryFormat } from './inventory.ts';
import { inventoryFields } from './inventory.ts';

/** Writes an inventory; what is written reads back to the same devices. Ends in a line feed. */
export function writeInventory(devices: readonly InventoryDevice[], format: InventoryFormat): string {
  const ordered = devices.map(inOrder);
  switch (format) {
    case 'csv':
      return formatCsv(
        inventoryFields,
        ordered.map((device) =>
          inventoryFields.map((name) => (name === 'ineligibleFor' ? device[name]?.join(' ') : device[name])),
        ),
      );
    case 'jsonl':
      return ordered.map((device) => `${JSON.stringify(device)}\n`).join('');
    case 'json':
      return `${JSON.stringify(ordered, undefined, 2)}\n`;
    case 'yaml':
      return stringify(ordered);
    default:
      return format satisfies never;
  }
}

function inOrder(device: InventoryDevice): InventoryDevice {
  const entries = inventoryFields
    .filter((name) => device[name] !== undefined)
    .map((name) => [name, device[name]]);
  return Object.fromEntries(entries) as InventoryDevice;
}
