import { InvalidArgumentError } from '@endorse/interface';
import { parseTpmAddress } from './address.ts';
import type { TpmAddress } from './address.ts';
import type { OpenTpmDeviceOptions } from './open-options.ts';
import type { TpmDevice } from './tpm-device.ts';

const defaultConnectTimeoutMs = 5000;
const maxConnectTimeoutMs = 600_000;

/**
 * Opens the TPM at an address; each kind of device is loaded when the first of its kind is opened.
 *
 * Rejects with `ERR_INVALID_ARGUMENT` for an unusable address, `ERR_TPM_UNREACHABLE` when nothing is there,
 * `ERR_TPM_BUSY` when somebody else holds it, `ERR_TPM_PERMISSION`, `ERR_TPM_TIMEOUT`, `ERR_TPM_IO`,
 * `ERR_TPM_DRIVER_MISSING` (`tbs:` without koffi), or the reason of `options.signal`.
 */
export async function openTpmDevice(
  address: string | TpmAddress,
  options: OpenTpmDeviceOptions = {},
): Promise<TpmDevice> {
  const target = typeof address === 'string' ? parseTpmAddress(address) : address;
  const connectTimeoutMs = options.connectTimeoutMs ?? defaultConnectTimeoutMs;
  if (!(connectTimeoutMs >= 1 && connectTimeoutMs <= maxConnectTimeoutMs)) {
    throw new InvalidArgumentError(
      'options.connectTimeoutMs',
      'must be from 1 to 600,000',
      'ERR_OUT_OF_RANGE',
    );
  }
  options.signal?.throwIfAborted();
  const checked = { ...options, connectTimeoutMs };
  switch (target.kind) {
    case 'swtpm': {
      const { openSwtpmDevice } = await import('./swtpm-device.ts');
      return openSwtpmDevice({ host: target.host, port: target.port }, checked);
    }
    case 'swtpm-unix': {
      const { openSwtpmDevice } = await import('./swtpm-device.ts');
      return openSwtpmDevice({ path: target.path }, checked);
    }
    case 'mssim': {
      const { openMssimDevice } = await import('./mssim-device.ts');
      return openMssimDevice(target, checked);
    }
    case 'linux': {
      const { openLinuxDevice } = await import('./linux-device.ts');
      return openLinuxDevice(target.path, checked);
    }
    case 'tbs': {
      const { openTbsDevice } = await import('./tbs-device.ts');
      return openTbsDevice(checked);
    }
    default:
      return unreachable(target);
  }
}

function unreachable(target: never): never {
  throw new InvalidArgumentError('address', `is of unknown kind ${JSON.stringify(target)}`);
}
