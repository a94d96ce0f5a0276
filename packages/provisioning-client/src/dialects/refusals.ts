import { ServiceError } from '@endorse/interface';
import { serviceErrorRemedy } from '@endorse/protocol';
import { toClientError } from '../errors.ts';
import { ProvDeviceResult } from '../results.ts';
import type { ServiceReply } from '../service-reply.ts';

/** The service decided against the device: `failed`, `disabled`, or no decision at all (`unassigned`). */
export function serviceSaysNo(
  status: 'failed' | 'disabled' | 'unassigned',
  serviceCode: number | undefined,
  message: string | undefined,
): ServiceReply {
  const code = serviceCode === undefined ? '' : ` (code ${serviceCode})`;
  const text = message === undefined ? '' : `: ${message.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, 300)}`;
  // The operation failed, not the request about it; the code's first digits say what the service would have answered.
  const httpStatus = serviceCode === undefined ? 403 : Math.floor(serviceCode / 1000);
  const cause = new ServiceError(
    `the service did not assign the device: ${status}${code}${text}`,
    { status: httpStatus, serviceCode },
    { remedy: serviceErrorRemedy(httpStatus, serviceCode) },
  );
  const error = toClientError(ProvDeviceResult.DEV_AUTH_ERROR, cause);
  return { kind: 'refused', error, recovery: 'none' };
}
