import type { GatewayClient } from '@endorse/thingspro-edge';
import type { InventoryDevice } from './inventory/inventory.ts';
import type { OpenGateway } from './ports.ts';

/** The client of a device of the inventory, at another port where it was moved. */
export function openDeviceGateway(
  openGateway: OpenGateway,
  device: InventoryDevice,
  port: number = device.port,
): GatewayClient {
  return openGateway({
    serial: device.serial,
    host: device.address,
    port,
    basePath: device.path,
    announcedFingerprint: device.fingerprint,
  });
}
