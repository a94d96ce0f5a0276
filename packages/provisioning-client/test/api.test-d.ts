/** Compiled, not run: the public unions, and which calls there are. */
import type { PumpTransportProvider } from '@endorse/interface';
import type {
  ProvDeviceFailure,
  ProvisioningClient,
  ProvisioningClientErrorCode,
  ProvisioningOptionName,
  RegisterDeviceCallback,
  StateName,
} from '@endorse/provisioning-client';
import { ProvDeviceRegStatus, ProvDeviceResult, ProvisioningClientLL } from '@endorse/provisioning-client';

declare const result: ProvDeviceResult;
declare const status: ProvDeviceRegStatus;
declare const client: ProvisioningClientLL;
declare const pumping: ProvisioningClient;
declare const provider: PumpTransportProvider;

export function narrowResult(): string {
  switch (result) {
    case ProvDeviceResult.OK:
    case ProvDeviceResult.SUCCESS:
      return 'well';
    case ProvDeviceResult.INVALID_ARG:
    case ProvDeviceResult.MEMORY:
    case ProvDeviceResult.PARSING:
    case ProvDeviceResult.TRANSPORT:
    case ProvDeviceResult.INVALID_STATE:
    case ProvDeviceResult.DEV_AUTH_ERROR:
    case ProvDeviceResult.TIMEOUT:
    case ProvDeviceResult.KEY_ERROR:
    case ProvDeviceResult.ERROR:
      return String(result satisfies ProvDeviceFailure);
    default:
      return result satisfies never;
  }
}

export function narrowStatus(): string {
  switch (status) {
    case ProvDeviceRegStatus.CONNECTED:
    case ProvDeviceRegStatus.REGISTERING:
    case ProvDeviceRegStatus.ASSIGNING:
    case ProvDeviceRegStatus.ASSIGNED:
    case ProvDeviceRegStatus.ERROR:
      return 'known';
    default:
      return status satisfies never;
  }
}

export const codes: readonly ProvisioningClientErrorCode[] = ['ERR_PROV_TIMEOUT', 'ERR_PROV_DEV_AUTH'];
export const states: readonly StateName[] = ['READY', 'STATUS_SEND', 'ERROR'];
export const names: readonly ProvisioningOptionName[] = ['TrustedCerts', 'proxy_data'];
export const callback: RegisterDeviceCallback = (_result, uri) => uri?.length;

client.setOption('provisioning_timeout', 60) satisfies ProvDeviceResult;
// @ts-expect-error: seconds are a number
client.setOption('provisioning_timeout', '60');
// @ts-expect-error: the client without a pump of its own has no frequency
client.setOption('do_work_freq_ms', 10);
pumping.setOption('do_work_freq_ms', 10);
// @ts-expect-error: results are values of the list
client.registerDevice(callback) satisfies 11;
// @ts-expect-error: a client needs an identity
void ProvisioningClientLL.create('host', 'scope', provider, {});
