/** The list of gateways a plan is made for: what discovery found, or what somebody wrote down. */
import type { DiscoverySummary } from '@endorse/discovery';
import { defined } from '../support/defined.ts';

/** One gateway. */
export interface InventoryDevice {
  /** Serial number as it is spelled on the device; compared without regard to case. */
  readonly serial: string;
  /** Host name or IP address of its API; IPv6 link-local addresses with their scope. */
  readonly address: string;
  /** Port of its API, 1 to 65,535. */
  readonly port: number;
  /** Path that calls of its API begin with. */
  readonly path?: string;
  readonly vendor?: string;
  readonly model?: string;
  readonly mac?: string;
  /** `factory`, `claimed` or `unknown`; decides whether factory credentials may be used. */
  readonly state?: 'factory' | 'claimed' | 'unknown';
  /** SHA-256 of the certificate it should show, 64 hex digits: on first use, another one is refused. */
  readonly fingerprint?: string;
  /** Registration id; default the serial in lower case. */
  readonly registrationId?: string;
  /** Device id on the hub; default the registration id. */
  readonly deviceId?: string;
  /** Host name to give it. */
  readonly hostName?: string;
  /** Base64 of the TPM2B_PUBLIC that it is known to have; another key is a conflict. */
  readonly endorsementKey?: string;
  /** Why it must not be provisioned; empty or absent when it may be. */
  readonly ineligibleFor?: readonly string[];
}

/** Fields of a row, in the order files have them. */
export const inventoryFields = [
  'serial',
  'address',
  'port',
  'path',
  'vendor',
  'model',
  'mac',
  'state',
  'fingerprint',
  'registrationId',
  'deviceId',
  'hostName',
  'endorsementKey',
  'ineligibleFor',
] as const;

/** Formats an inventory is read and written in. */
export const inventoryFormats = ['csv', 'json', 'jsonl', 'yaml'] as const;

/** One of {@link inventoryFormats}. */
export type InventoryFormat = (typeof inventoryFormats)[number];

/** The inventory of what discovery found; devices that must not be provisioned say why. */
export function inventoryFromDiscovery(summary: DiscoverySummary): readonly InventoryDevice[] {
  return summary.devices.map(({ announcement, address, ineligibleFor }) =>
    defined({
      serial: announcement.serial,
      address,
      port: announcement.api.port,
      path: announcement.api.path,
      vendor: announcement.vendor,
      model: announcement.model,
      mac: announcement.mac,
      state: announcement.state,
      fingerprint: announcement.tlsSha256,
      ineligibleFor: ineligibleFor.length === 0 ? undefined : ineligibleFor,
    }),
  );
}
