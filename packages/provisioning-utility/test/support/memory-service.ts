/** A provisioning service in memory behind the client's interface, with the version rules of the real one. */
import type { RegistrationState } from '@endorse/interface';
import { ServiceError } from '@endorse/interface';
import type { IndividualEnrollment } from '@endorse/protocol';
import type { EnrollmentPort } from '@endorse/provisioning-utility';

/** A service. Tests look at its maps, and change them as somebody else would. */
export class MemoryService implements EnrollmentPort {
  readonly stored = new Map<string, IndividualEnrollment>();
  readonly states = new Map<string, RegistrationState>();
  /** Calls in order. */
  readonly calls: string[] = [];
  /** Called before each call; what it throws the call rejects with. */
  beforeCall: (name: string) => void | Promise<void> = () => undefined;
  #version = 0;

  /** Calls that wrote. */
  get writes(): readonly string[] {
    return this.calls.filter((call) => !call.startsWith('get'));
  }

  readonly enrollments: EnrollmentPort['enrollments'] = {
    get: async (id) => {
      await this.#call(`get ${id}`);
      return this.#find(id);
    },
    create: async (enrollment) => {
      await this.#call(`create ${enrollment.registrationId}`);
      if (this.stored.has(enrollment.registrationId)) throw failure(409);
      return this.#store(enrollment);
    },
    update: async (enrollment, { ifMatch }) => {
      await this.#call(`update ${enrollment.registrationId} ${ifMatch}`);
      if (this.#find(enrollment.registrationId).etag !== ifMatch) throw failure(412);
      return this.#store(enrollment);
    },
    getAttestationMechanism: async (id) => this.#find(id).attestation,
  };

  readonly registrations: EnrollmentPort['registrations'] = {
    get: async (id) => {
      await this.#call(`getRegistration ${id}`);
      const state = this.states.get(id);
      if (state === undefined) throw failure(404);
      return state;
    },
  };

  /** Writes as somebody else would: no rule is checked, the etag changes. */
  put(enrollment: IndividualEnrollment): IndividualEnrollment {
    return this.#store(enrollment);
  }

  /** Lets a device be registered. */
  assign(registrationId: string, changes: Partial<RegistrationState> = {}): void {
    this.#version += 1;
    this.states.set(registrationId, {
      registrationId,
      status: 'assigned',
      assignedHub: 'hub.example.test',
      deviceId: registrationId,
      etag: `"r${this.#version}"`,
      ...changes,
    });
  }

  async #call(name: string): Promise<void> {
    await this.beforeCall(name.split(' ')[0] ?? '');
    this.calls.push(name);
  }

  #find(id: string): IndividualEnrollment {
    const found = this.stored.get(id);
    if (found === undefined) throw failure(404);
    return found;
  }

  #store(enrollment: IndividualEnrollment): IndividualEnrollment {
    this.#version += 1;
    const stored = { ...enrollment, etag: `"e${this.#version}"` };
    this.stored.set(enrollment.registrationId, stored);
    return stored;
  }
}

/** An answer of the service that is an error. */
export function failure(status: number, retryAfterMs?: number): ServiceError {
  return new ServiceError(`status ${status}`, { status, retryAfterMs });
}
