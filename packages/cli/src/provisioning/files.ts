/** Files that the commands read and write whole. */
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import type { InventoryDevice } from '@endorse/provisioning-utility';
import {
  ProvisioningError,
  inventoryFormatOf,
  parsePlan,
  readInventory,
} from '@endorse/provisioning-utility';
import type { ProvisioningPlan } from '@endorse/provisioning-utility';
import { UsageError } from '../command/usage-error.ts';
import { readOptionFile } from '../commands/read-file.ts';

/** Writes a file whole or not at all: a reader never sees half of it. */
export async function writeWhole(option: string, path: string, text: string): Promise<void> {
  const beside = `${path}.${process.pid}.part`;
  try {
    await writeFile(beside, text);
    await rename(beside, path);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new ProvisioningError('ERR_REPORT_FILE', `--${option}: cannot write ${path}: ${problem}`, {
      cause,
    });
  }
}

/** Reads a plan. */
export function readPlanFile(path: string): ProvisioningPlan {
  return parsePlan(readOptionFile('plan', path));
}

/** Reads an inventory; the ending of its name says the format. */
export function readInventoryFile(path: string): readonly InventoryDevice[] {
  const format = inventoryFormatOf(path);
  if (format === undefined) {
    throw new UsageError(`--inventory: ${path} ends neither in .csv nor in .json, .jsonl or .yaml`);
  }
  return readInventory(readOptionFile('inventory', path), format);
}

/** Reads a file as bytes; empty when it is not there. */
export function readBytes(option: string, path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new UsageError(`--${option}: cannot read ${path}`, { cause });
  }
}
