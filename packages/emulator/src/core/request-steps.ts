/**
 * Between the carriers and the services: every request is one indivisible step, taken only while its quota lasts. What
 * the emulator's own process asks for without a token is a step as well, but counts for no quota.
 */
import type { CollectionService } from '../service-api/collection-service.ts';
import type { ServiceResponse } from '../service-api/enrollment-service.ts';
import type { DeviceService } from './device-requests.ts';
import type { ServiceFault } from './fault.ts';
import type { QuotaKeeper } from './quotas.ts';
import type { FaultResponse } from './refusal.ts';
import { noteRefusal, refuse } from './refusal.ts';
import type { UnitOfWork } from './unit-of-work.ts';

/** What the services of enrollments and of groups have in common. */
export interface EnrollmentApi<Request, Record, Written> {
  handle(request: Request): ServiceResponse;
  write(written: Written, ifMatch: string | undefined): ServiceResponse;
  remove(id: string, ifMatch: string | undefined): ServiceResponse;
  describe(record: Record): Written;
}

/** Puts services behind steps and quotas. */
export interface RequestSteps {
  device(service: DeviceService): DeviceService;
  enrollments<Request extends { readonly kind: string }, Record, Written>(
    service: EnrollmentApi<Request, Record, Written>,
  ): EnrollmentApi<Request, Record, Written>;
  collections(service: CollectionService): CollectionService;
}

/** Makes {@link RequestSteps}. */
export function createRequestSteps({ atomically, emit }: UnitOfWork, quotas: QuotaKeeper): RequestSteps {
  return {
    device: (service) => ({
      admit: (request) => atomically(() => service.admit(request)),
      requestChallenge: (request) => atomically(() => service.requestChallenge(request)),
      register: (request) => {
        const { credential, registrationId } = request;
        // Without a credential it is only the question for a challenge.
        const fault = credential.kind === 'none' ? undefined : quotas.takeRegistration();
        return step('register', registrationId, fault, () => service.register(request));
      },
      queryOperation: (request) => {
        const { registrationId } = request;
        const fault = quotas.takePoll(registrationId);
        return step('query-operation', registrationId, fault, () => service.queryOperation(request));
      },
      lookUpState: (request) => atomically(() => service.lookUpState(request)),
    }),
    enrollments: (service) => ({
      handle: (request) =>
        step(request.kind, undefined, quotas.takeOperation(), () => service.handle(request)),
      write: (written, ifMatch) => atomically(() => service.write(written, ifMatch)),
      remove: (id, ifMatch) => atomically(() => service.remove(id, ifMatch)),
      describe: (record) => atomically(() => service.describe(record)),
    }),
    collections: (service) => ({
      handle: (request) =>
        step(request.kind, undefined, quotas.takeOperation(), () => service.handle(request)),
    }),
  };

  function step<Response extends { readonly outcome: string }>(
    operation: string,
    subject: string | undefined,
    fault: ServiceFault | undefined,
    work: () => Response,
  ): Response | FaultResponse {
    return fault === undefined ? atomically(work) : noteRefusal(emit, operation, subject, refuse(fault));
  }
}
