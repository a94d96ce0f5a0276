/**
 * The provisioning service over HTTP: bytes to neutral requests, neutral answers to bytes. The device
 * API (`/{idScope}/registrations/…`), its `/drs/` dialect and the service API (`/enrollments/…`,
 * `/enrollmentGroups/…`, `/registrations/…`) share a listener.
 */
import type { DeviceTarget } from '@endorse/protocol';
import {
  decodeEnrollmentGroup,
  decodeIndividualEnrollment,
  decodeRegisterBody,
  encodeAttestationMechanism,
  encodeBulkResult,
  encodeChallengeBody,
  encodeEnrollmentGroup,
  encodeIndividualEnrollment,
  encodeOperationStatus,
  encodePage,
  encodeRegistrationState,
  headerNames,
  isJsonContentType,
  parseCollectionTarget,
  parseDeviceTarget,
  parseEnrollmentGroupTarget,
  parseServiceTarget,
} from '@endorse/protocol';
import type { EmulatorCore } from '../core/core.ts';
import type { DeviceCredential, DeviceRequest, DeviceResponse } from '../core/device-requests.ts';
import { toRegisterRequest } from '../core/device-requests.ts';
import type { ServiceFault } from '../core/fault.ts';
import { faults } from '../core/fault.ts';
import { findStrictVersionFault } from '../core/strictness.ts';
import { addVersionDefaults } from '../service-api/enrollment-rules.ts';
import { createDrsHandler, isDrsTarget } from '../drs/drs-handler.ts';
import type { ServiceResponse } from '../service-api/enrollment-service.ts';
import type { Stamps } from './fault-answer.ts';
import { emptyAnswer, faultAnswer, faultOf, jsonAnswer } from './fault-answer.ts';
import { writeFaultyAnswer } from './faulty-answer.ts';
import type { HttpAnswer, HttpCall, HttpHandler } from './http-call.ts';
import { noAnswer } from './http-call.ts';
import { findAllowedMethods, findMethodProblem } from './methods.ts';

/** Makes the handler of a core's provisioning service. */
export function createServiceHandler(core: EmulatorCore, stamps: Stamps): HttpHandler {
  const answerDrs = createDrsHandler({ core, stamps, readTarget, findBodyFault, refuseUnread });
  return {
    handle: (call) => {
      try {
        if (isDrsTarget(call.target)) return answerDrs(call);
        if (!isServicePath.test(call.target)) return answerDevice(call);
        return (
          answerCollection(call) ?? (isGroupPath.test(call.target) ? answerGroup(call) : answerService(call))
        );
      } catch (error) {
        // Nothing of ours throws here; a store that was handed in may, and must not end the process.
        return refuseUnread(call.method, faults.internal(String(error)));
      }
    },
    refuseConnection: (status) => refuseUnread('connect', connectionFaults[status]),
    refuseUpgrade: (reason) => refuseUnread('connect', faults.malformedRequest(reason)),
  };

  function answerDevice(call: HttpCall): HttpAnswer {
    const target = readTarget(call, parseDeviceTarget);
    if ('answer' in target) return target.answer;
    const fault = findVersionFault(target) ?? findBodyFault(call, target.kind === 'register');
    if (fault !== undefined) return refuseUnread(target.kind, fault);
    let request: DeviceRequest;
    try {
      request = toDeviceRequest(call, target);
    } catch (error) {
      return refuseUnread(target.kind, faultOf(error, 'body'));
    }
    const { response, delivery } = core.answerDevice('http', request);
    const answer = response === undefined ? noAnswer : writeDeviceAnswer(call, target, response);
    return { ...answer, delivery };
  }

  function writeDeviceAnswer(call: HttpCall, target: DeviceTarget, response: DeviceResponse): HttpAnswer {
    switch (response.outcome) {
      case 'challenge':
        return jsonAnswer(stamps, 401, encodeChallengeBody(response));
      case 'operation': {
        const { operation, retryAfterSeconds } = response;
        const headers =
          retryAfterSeconds === undefined ? [] : [headerNames.retryAfter, String(retryAfterSeconds)];
        const running = operation.status === 'assigning';
        if (running && target.kind === 'register') headers.push(headerNames.location, ownUrl(call));
        return jsonAnswer(stamps, running ? 202 : 200, encodeOperationStatus(operation), headers);
      }
      case 'state':
        return jsonAnswer(stamps, 200, encodeRegistrationState(response.state));
      case 'fault':
        return faultAnswer(stamps, response.fault);
      default:
        return response satisfies never;
    }
  }

  /** Undefined when the request is about one record. */
  function answerCollection(call: HttpCall): HttpAnswer | undefined {
    const target = readTarget(call, (method, path) => parseCollectionTarget(method, path) ?? 'another');
    if (target === 'another') return undefined;
    if ('answer' in target) return target.answer;
    const { kind, enrollmentGroupId } = target;
    const fault = findVersionFault(target) ?? findBodyFault(call, true);
    if (fault !== undefined) return refuseUnread(kind, fault);
    try {
      return underFaults(kind, enrollmentGroupId, () =>
        core.collections.handle({
          kind,
          ...(enrollmentGroupId === undefined ? {} : { enrollmentGroupId }),
          token: call.headers.authorization,
          maxItemCount: header(call, headerNames.maxItemCount),
          continuation: header(call, headerNames.continuation),
          readBody: () => call.body ?? new Uint8Array(),
        }),
      );
    } catch (error) {
      return refuseUnread(kind, faultOf(error, 'body'));
    }
  }

  function answerService(call: HttpCall): HttpAnswer {
    const target = readTarget(call, parseServiceTarget);
    if ('answer' in target) return target.answer;
    const fault = findVersionFault(target) ?? findBodyFault(call, target.kind === 'put-enrollment');
    if (fault !== undefined) return refuseUnread(target.kind, fault);
    try {
      return underFaults(target.kind, target.registrationId, () =>
        core.enrollments.handle({
          kind: target.kind,
          registrationId: target.registrationId,
          token: call.headers.authorization,
          ifMatch: call.headers['if-match'],
          readEnrollment: () =>
            addVersionDefaults(decodeIndividualEnrollment(call.body ?? ''), target.apiVersion),
        }),
      );
    } catch (error) {
      return refuseUnread(target.kind, faultOf(error, 'body'));
    }
  }

  function answerGroup(call: HttpCall): HttpAnswer {
    const target = readTarget(call, parseEnrollmentGroupTarget);
    if ('answer' in target) return target.answer;
    const fault = findVersionFault(target) ?? findBodyFault(call, target.kind === 'put-enrollment-group');
    if (fault !== undefined) return refuseUnread(target.kind, fault);
    try {
      return underFaults(target.kind, target.enrollmentGroupId, () =>
        core.enrollmentGroups.handle({
          kind: target.kind,
          enrollmentGroupId: target.enrollmentGroupId,
          token: call.headers.authorization,
          ifMatch: call.headers['if-match'],
          readGroup: () => addVersionDefaults(decodeEnrollmentGroup(call.body ?? ''), target.apiVersion),
        }),
      );
    } catch (error) {
      return refuseUnread(target.kind, faultOf(error, 'body'));
    }
  }

  function underFaults(
    operation: string,
    device: string | undefined,
    handle: () => ServiceResponse,
  ): HttpAnswer {
    const answer = core.underFaults({ carrier: 'http', operation, device }, handle);
    return writeFaultyAnswer(answer, {
      refused: (fault) => faultAnswer(stamps, fault),
      answered: writeServiceAnswer,
    });
  }

  function writeServiceAnswer(response: ServiceResponse): HttpAnswer {
    switch (response.outcome) {
      case 'enrollment':
        return jsonAnswer(stamps, 200, encodeIndividualEnrollment(response.enrollment));
      case 'enrollment-group':
        return jsonAnswer(stamps, 200, encodeEnrollmentGroup(response.group));
      case 'attestation':
        return jsonAnswer(stamps, 200, encodeAttestationMechanism(response.attestation));
      case 'registration':
        return jsonAnswer(stamps, 200, encodeRegistrationState(response.state));
      case 'bulk':
        return jsonAnswer(stamps, 200, encodeBulkResult(response.kind, response.result));
      case 'page': {
        const { rows, itemType, maxItemCount, continuation } = response;
        const headers = [headerNames.itemType, itemType, headerNames.maxItemCount, String(maxItemCount)];
        if (continuation !== undefined) headers.push(headerNames.continuation, continuation);
        return jsonAnswer(stamps, 200, encodePage(rows), headers);
      }
      case 'deleted':
        return emptyAnswer(stamps);
      case 'fault':
        return faultAnswer(stamps, response.fault);
      default:
        return response satisfies never;
    }
  }

  function findVersionFault({ apiVersion }: { readonly apiVersion: string }): ServiceFault | undefined {
    return core.strictness === 'strict' ? findStrictVersionFault(apiVersion) : undefined;
  }

  /** Reads the request target, or says what to answer instead. */
  function readTarget<Target>(
    { method, target }: HttpCall,
    parse: (method: string, target: string) => Target | undefined,
  ): Target | { readonly answer: HttpAnswer } {
    try {
      const parsed = parse(method, target);
      if (parsed !== undefined) return parsed;
      return {
        answer: refuseUnread(method, faults.notFound('the path belongs to no operation of this service')),
      };
    } catch (error) {
      const problem = findMethodProblem(error);
      if (problem === undefined) return { answer: refuseUnread(method, faultOf(error, 'target')) };
      const allow = ['allow', findAllowedMethods(parse, target).join(', ')];
      return { answer: refuseUnread(method, faults.methodNotAllowed(problem), allow) };
    }
  }

  /** Refuses what never reached the core, so that it is reported all the same. */
  function refuseUnread(operation: string, fault: ServiceFault, headers: readonly string[] = []): HttpAnswer {
    core.emit({ event: 'request-refused', operation, ...fault });
    return faultAnswer(stamps, fault, headers);
  }
}

const isServicePath = /^\/(?:enrollments|enrollmentgroups|registrations)(?:[/?]|$)/i;
const isGroupPath = /^\/enrollmentgroups(?:[/?]|$)/i;

const connectionFaults: Readonly<Record<400 | 408 | 431, ServiceFault>> = Object.freeze({
  400: faults.malformedRequest('the bytes are no HTTP request'),
  408: faults.tooSlow('the request did not arrive in time'),
  431: faults.headersTooLarge('the headers are larger than 16 KiB'),
});

function toDeviceRequest(call: HttpCall, target: DeviceTarget): DeviceRequest {
  const { idScope, registrationId } = target;
  const common = { idScope, registrationId, credential: readCredential(call) };
  switch (target.kind) {
    case 'register':
      return toRegisterRequest(common, decodeRegisterBody(call.body ?? ''));
    case 'operation-status':
      return { operation: 'query-operation', ...common, operationId: target.operationId };
    case 'status-lookup':
      return { operation: 'look-up-state', ...common };
    default:
      return target satisfies never;
  }
}

function readCredential({ headers: { authorization = '' }, certificates }: HttpCall): DeviceCredential {
  if (authorization !== '') return { kind: 'token', token: authorization };
  return certificates === undefined ? { kind: 'none' } : { kind: 'certificate', certificates };
}

/** Checks size and media type. The official Node client sends `{}` with a GET, so bodies that nobody reads may be anything. */
function findBodyFault({ body, headers }: HttpCall, isRead: boolean): ServiceFault | undefined {
  if (body === undefined) return faults.tooLarge('the body exceeds 96 KiB');
  if (!isRead || body.byteLength === 0) return undefined;
  if (!isJsonContentType(headers['content-type'])) {
    return faults.unsupportedMediaType('content-type must be application/json in UTF-8');
  }
  // The documentation's own curl examples send content-encoding: utf-8.
  const encoding = headers['content-encoding']?.toLowerCase() ?? 'identity';
  return ['identity', 'utf-8'].includes(encoding)
    ? undefined
    : faults.unsupportedMediaType(`content-encoding ${encoding.slice(0, 40)} is not supported`);
}

/** One value of a header that clients send once. */
function header({ headers }: HttpCall, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function ownUrl({ headers, target }: HttpCall): string {
  return `https://${headers.host ?? 'localhost'}${target}`;
}
