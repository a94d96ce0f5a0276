import { ServiceError } from '@endorse/interface';
import { decodeServiceErrorBody, type ServiceErrorBody } from '../bodies/service-error-body.ts';
import { printable } from '../json/printable.ts';
import { headerNames } from './header-names.ts';
import type { HttpResponse, HttpResponseOptions } from './http-response.ts';
import { parseRetryAfter } from './retry-after.ts';

/**
 * Makes the {@link ServiceError} of an error answer. Never throws: an error page that is not JSON,
 * as proxies send them, still gives status, pause and tracking id from status line and headers.
 */
export function toServiceError(response: HttpResponse, options: HttpResponseOptions): ServiceError {
  const body = tryDecode(response);
  const serviceCode = body.errorCode ?? headerCode(response.headers[headerNames.errorCode]);
  const text = body.message === undefined ? '' : `: ${printable(body.message)}`;
  const code = serviceCode === undefined ? '' : ` (code ${serviceCode})`;
  return new ServiceError(
    `${options.attempted}: the service answered ${response.status}${code}${text}`,
    {
      status: response.status,
      serviceCode,
      trackingId: body.trackingId ?? response.headers[headerNames.requestId]?.slice(0, 128),
      retryAfterMs: parseRetryAfter(response.headers[headerNames.retryAfter], options.nowMs),
    },
    { remedy: (options.remedyFor ?? serviceErrorRemedy)(response.status, serviceCode) },
  );
}

/** One imperative sentence for an error answer to a device; undefined when nothing useful is known. */
export function serviceErrorRemedy(status: number, serviceCode?: number): string | undefined {
  return (serviceCode === undefined ? undefined : remediesByCode[serviceCode]) ?? remediesByStatus[status];
}

const remediesByCode: Readonly<Record<number, string>> = {
  400004:
    'Compare the endorsement key in the enrollment with the one this TPM has: `endorse tpm info` prints it.',
  400207: 'Look at the logs of the custom allocation function.',
  400208: 'Link an IoT hub to the provisioning service, or let the allocation function return one.',
  400209: 'Check that the provisioning service may still manage the linked IoT hub.',
  401002: 'Check ID scope, registration id and attestation of the enrollment, and the device clock.',
  404201: 'Create an individual enrollment with exactly this registration id.',
  404204: 'Create the enrollment group this device belongs to.',
  409203: 'Register one device from one process at a time.',
};

const remediesByStatus: Readonly<Record<number, string>> = {
  400: 'Compare the request with what the message says.',
  401: 'Check ID scope, registration id and attestation of the enrollment, and the device clock.',
  404: 'Check ID scope and registration id, and that the enrollment exists.',
  412: 'Read the record again and repeat the change with its new etag.',
  415: 'Check that no proxy on the way changes the content type.',
  429: 'Wait as long as the answer says and register fewer devices a minute.',
};

function tryDecode(response: HttpResponse): ServiceErrorBody {
  try {
    return decodeServiceErrorBody(response.body);
  } catch {
    return {};
  }
}

function headerCode(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{6}$/.test(text) ? Number(text) : undefined;
}
