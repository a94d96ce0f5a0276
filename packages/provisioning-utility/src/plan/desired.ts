/** From a job and an inventory row to what one gateway shall be. */
import type { DesiredGatewaySettings } from '@endorse/thingspro-edge';
import type { InventoryDevice } from '../inventory/inventory.ts';
import type { ProvisioningJob } from '../job/job.ts';
import type { DesiredEnrollment } from '../steps/enrollment.ts';
import type { DesiredWriteBack } from '../steps/write-back.ts';
import { defined } from '../support/defined.ts';

/** The settings of the gateway, of every phase. */
export function desiredSettings(
  { configure }: ProvisioningJob,
  { hostName }: InventoryDevice,
): DesiredGatewaySettings {
  const { ssh, serialConsole, discovery, services, httpsPort } = configure;
  return defined({
    hostName,
    ssh: ssh === undefined ? undefined : { enabled: ssh },
    serialConsole,
    discovery,
    services,
    https: httpsPort === undefined ? undefined : { port: httpsPort },
  });
}

/** The enrollment. */
export function desiredEnrollment(
  job: ProvisioningJob,
  { deviceId }: InventoryDevice,
  registrationId: string,
  endorsementKey: Uint8Array,
): DesiredEnrollment {
  return { registrationId, endorsementKey, deviceId, settings: job.enrollment };
}

/** What the gateway is told; undefined when the job has no ID scope. */
export function desiredWriteBack(
  { writeBack }: ProvisioningJob,
  registrationId: string,
): DesiredWriteBack | undefined {
  if (writeBack === undefined) return undefined;
  return { scopeId: writeBack.idScope, globalEndpoint: writeBack.globalEndpoint, registrationId };
}
