/**
 * The contract of a custom allocation web-hook, as values: what it is asked, and what its answer means.
 *
 * Asked with POST and JSON: `individualEnrollment` or `enrollmentGroup`, without keys; `deviceRuntimeContext` with the
 * registration id, present hub and device id, the kind of attestation and the device's payload; `linkedHubs`. It answers 200 and
 * `{ iotHubHostName, initialTwin?, payload? }`.
 */
import type { JsonObject, JsonValue } from '@endorse/interface';
import { encodeEnrollmentGroup, encodeIndividualEnrollment } from '@endorse/protocol';
import { describeCertificate, readCertificate } from '../certificate/client-certificate.ts';
import type { DeviceProof } from '../core/enrolled-device.ts';
import type { EnrollmentGroupRecord, EnrollmentRecord } from '../core/store.ts';
import { withoutKeys } from '../service-api/attestation-rules.ts';
import type { AllocationDecision } from './allocation.ts';
import { customAllocationFailed, findCandidates, noHub } from './allocation.ts';
import type { LinkedHub } from './linked-hub.ts';
import { findLinkedHub } from './linked-hub.ts';

/** A question to a web-hook. */
export interface WebHookRequest {
  /** As the enrollment has it. */
  readonly url: string;
  /** As the enrollment has it. */
  readonly apiVersion: string;
  /** JSON. */
  readonly body: string;
}

/** What came of asking: an answer with its status and as much of its body as is taken, or why there is none. */
export type WebHookOutcome =
  | { readonly outcome: 'answered'; readonly status: number; readonly body: string }
  | { readonly outcome: 'unreachable'; readonly reason: string };

/** Asks a web-hook, within bounds of time and size. Never rejects. */
export type CallWebHook = (request: WebHookRequest) => Promise<WebHookOutcome>;

/** What a web-hook is told of a device. */
export interface WebHookSubject {
  readonly registrationId: string;
  readonly enrollment: EnrollmentRecord | EnrollmentGroupRecord;
  readonly proof: DeviceProof;
  readonly payload?: JsonValue;
  /** Where the device is now, if it is anywhere. */
  readonly assignedHub?: string;
  readonly deviceId?: string;
}

/** Writes the question about a device. Undefined for an enrollment that names no web-hook. */
export function createWebHookRequest(
  subject: WebHookSubject,
  hubs: readonly LinkedHub[],
): WebHookRequest | undefined {
  const { enrollment, registrationId, assignedHub, deviceId, payload } = subject;
  const definition = enrollment.customAllocationDefinition;
  if (definition === undefined) return undefined;
  const body = {
    ...describeEnrollment(enrollment),
    deviceRuntimeContext: {
      registrationId,
      ...(assignedHub === undefined ? {} : { currentIotHubHostName: assignedHub }),
      ...(deviceId === undefined ? {} : { currentDeviceId: deviceId }),
      ...describeProof(subject.proof),
      ...(payload === undefined ? {} : { payload }),
    },
    linkedHubs: findCandidates(enrollment, hubs).map(({ hostName }) => hostName),
  };
  return { url: definition.webhookUrl, apiVersion: definition.apiVersion, body: JSON.stringify(body) };
}

/** What an answer decides. 400207 for one that is none, 400208 for no hub, 400209 for a hub the enrollment may not use. */
export function readWebHookOutcome(
  outcome: WebHookOutcome,
  enrollment: EnrollmentRecord | EnrollmentGroupRecord,
  hubs: readonly LinkedHub[],
): AllocationDecision {
  if (outcome.outcome === 'unreachable') return customAllocationFailed(outcome.reason);
  const { status, body } = outcome;
  if (status < 200 || status > 299) {
    return { errorCode: 400_207, errorMessage: `Custom allocation failed with status code: ${status}` };
  }
  const answer = parseObject(body);
  if (answer === undefined) return customAllocationFailed('the answer of the web-hook is no JSON object');
  const { iotHubHostName, initialTwin, payload } = answer;
  if (typeof iotHubHostName !== 'string' || iotHubHostName === '') return noHub;
  if (initialTwin !== undefined && initialTwin !== null && !isObject(initialTwin)) {
    return customAllocationFailed('initialTwin is no JSON object');
  }
  const hub = findLinkedHub(hubs, iotHubHostName);
  if (hub === undefined) return noHub;
  if (!findCandidates(enrollment, hubs).includes(hub)) {
    return { errorCode: 400_209, errorMessage: `The enrollment may not use the IoT hub ${hub.hostName}.` };
  }
  return {
    iotHubHostName: hub.hostName,
    ...(isObject(initialTwin) ? { initialTwin } : {}),
    ...(payload === undefined || payload === null ? {} : { payload }),
  };
}

function describeEnrollment(enrollment: EnrollmentRecord | EnrollmentGroupRecord): JsonObject {
  const attestation = withoutKeys(enrollment.attestation);
  if ('enrollmentGroupId' in enrollment) {
    return { enrollmentGroup: parseObject(encodeEnrollmentGroup({ ...enrollment, attestation })) ?? {} };
  }
  const text = encodeIndividualEnrollment({ ...enrollment, attestation });
  return { individualEnrollment: parseObject(text) ?? {} };
}

function describeProof(proof: DeviceProof): JsonObject {
  switch (proof.kind) {
    case 'tpm':
      return { tpm: { endorsementKey: toBase64(proof.keys.endorsementKey) } };
    case 'symmetricKey':
      return { symmetricKey: {} };
    case 'x509': {
      const certificate = readCertificate(proof.certificate);
      return {
        x509: certificate === undefined ? {} : { clientCertificate: describeCertificate(certificate) },
      };
    }
    default:
      return proof satisfies never;
  }
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as JsonValue;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
