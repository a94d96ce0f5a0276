import type { EmulatorEventDetails } from './events.ts';
import type { ServiceFault } from './fault.ts';

/** An error answer of a neutral operation. */
export interface FaultResponse {
  readonly outcome: 'fault';
  readonly fault: ServiceFault;
}

/** Makes an error answer. */
export function refuse(fault: ServiceFault): FaultResponse {
  return { outcome: 'fault', fault };
}

/** True for an error answer. */
export function isFault(response: { readonly outcome: string }): response is FaultResponse {
  return response.outcome === 'fault';
}

/** Reports an answer if it is an error answer, and hands it on. */
export function noteRefusal<Response extends { readonly outcome: string }>(
  emit: (event: EmulatorEventDetails) => void,
  operation: string,
  subject: string | undefined,
  response: Response,
): Response {
  if (isFault(response)) {
    emit({
      event: 'request-refused',
      operation,
      ...(subject === undefined ? {} : { subject }),
      ...response.fault,
    });
  }
  return response;
}
