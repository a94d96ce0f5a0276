/**
 * What devices asked and were told, run by run: a trace begins with a device's first request, or the first one after
 * its last registration ended. No secret gets in: of credentials only the kind, of keys only how they were wrapped.
 */
import type { DeviceRequest, DeviceResponse } from '../core/device-requests.ts';
import type { DeviceExchange } from '../faults/fault-injection.ts';
import type { BlobPart } from './describe-blob.ts';
import { describeBlob } from './describe-blob.ts';

/** One request of a device and its answer. */
export interface TraceStep {
  /** The emulator's time, in milliseconds since 1970. */
  readonly at: number;
  /** Milliseconds since the first step. */
  readonly sinceStartMs: number;
  /** `http`, `amqp` or `mqtt`. */
  readonly carrier: string;
  readonly operation: DeviceRequest['operation'];
  /** How the device proved itself: `none`, `token` or `certificate`; absent for the question for a challenge. */
  readonly credential?: string;
  /** What it was told, in a few words. */
  readonly told: string;
  /** HTTP status or the carrier's equivalent; absent when nothing was answered. */
  readonly status?: number;
  /** The wrapped key that went out, taken apart. */
  readonly blob?: readonly BlobPart[];
  /** What a fault script did to the answer. */
  readonly spoiled?: string;
}

/** How a registration stands. */
export type TraceState = 'running' | 'assigned' | 'failed' | 'disabled' | 'refused';

/** One registration, from the first request to the last answer. */
export interface RegistrationTrace {
  /** Grows from one trace to the next. */
  readonly id: number;
  readonly registrationId: string;
  readonly state: TraceState;
  readonly startedAt: number;
  readonly steps: readonly TraceStep[];
  readonly assignedHub?: string;
  readonly deviceId?: string;
}

/** The traces of an emulator. */
export interface TraceLog {
  /** Notes an exchange and returns the trace as it is now. */
  note(exchange: DeviceExchange): RegistrationTrace;
  /** The last traces, the newest first. */
  list(): readonly RegistrationTrace[];
  /** The last trace of a device. */
  find(registrationId: string): RegistrationTrace | undefined;
}

/** Makes an empty log that keeps the last {@link maxTraces} traces. */
export function createTraceLog(): TraceLog {
  const traces = new Map<string, RegistrationTrace>();
  let lastId = 0;
  return {
    note: (exchange) => {
      const { registrationId } = exchange.request;
      const key = registrationId.toLowerCase();
      const former = traces.get(key);
      const begun = former !== undefined && goesOn(former, exchange.request);
      const trace: RegistrationTrace = begun
        ? former
        : { id: (lastId += 1), registrationId, state: 'running', startedAt: exchange.at, steps: [] };
      const next = extend(trace, exchange);
      traces.delete(key);
      traces.set(key, next);
      for (const oldest of traces.keys()) {
        if (traces.size <= maxTraces) break;
        traces.delete(oldest);
      }
      return next;
    },
    list: () => [...traces.values()].toReversed(),
    find: (registrationId) => traces.get(registrationId.toLowerCase()),
  };
}

/** A device that polls an ended registration still belongs to it; one that registers begins anew. */
function goesOn({ state }: RegistrationTrace, { operation }: DeviceRequest): boolean {
  return state === 'running' || operation === 'query-operation' || operation === 'look-up-state';
}

function extend(trace: RegistrationTrace, exchange: DeviceExchange): RegistrationTrace {
  const { at, carrier, request, answer } = exchange;
  const { response, delivery } = answer;
  const spoiled = describeDelivery(delivery);
  const step: TraceStep = {
    at,
    sinceStartMs: at - trace.startedAt,
    carrier,
    operation: request.operation,
    ...('credential' in request ? { credential: request.credential.kind } : {}),
    ...(response === undefined
      ? { told: 'nothing: the connection was dropped' }
      : describeResponse(response)),
    ...(spoiled === '' ? {} : { spoiled }),
  };
  const operation = response?.outcome === 'operation' ? response.operation : undefined;
  const { assignedHub, deviceId } = operation?.registrationState ?? {};
  return {
    ...trace,
    ...(assignedHub === undefined ? {} : { assignedHub }),
    ...(deviceId === undefined ? {} : { deviceId }),
    state: stateAfter(trace.state, response),
    steps: [...trace.steps, step].slice(-maxSteps),
  };
}

function stateAfter(state: TraceState, response: DeviceResponse | undefined): TraceState {
  if (response?.outcome === 'fault') {
    // Retries are part of the run: only what trying again cannot help ends it.
    return state === 'running' && response.fault.status < 429 ? 'refused' : state;
  }
  if (response?.outcome !== 'operation') return state === 'refused' ? 'running' : state;
  const { status } = response.operation;
  return status === 'assigned' || status === 'failed' || status === 'disabled' ? status : 'running';
}

function describeResponse(response: DeviceResponse): Pick<TraceStep, 'told' | 'status' | 'blob'> {
  switch (response.outcome) {
    case 'challenge':
      return { told: 'a key, wrapped for its TPM', status: 401, ...blobOf(response.activationBlob) };
    case 'operation': {
      const { status, registrationState: state } = response.operation;
      const key = state?.tpm?.authenticationKey;
      const because = state?.errorMessage === undefined ? '' : `: ${state.errorMessage}`;
      return {
        told: state?.assignedHub === undefined ? `${status}${because}` : `${status} to ${state.assignedHub}`,
        status: status === 'assigning' ? 202 : 200,
        ...(key === undefined ? {} : blobOf(key)),
      };
    }
    case 'state':
      return { told: `it is ${response.state.status ?? 'unknown'}`, status: 200 };
    case 'fault': {
      const { status, errorCode, message, reason } = response.fault;
      return { told: `${errorCode} ${message}${reason === undefined ? '' : `: ${reason}`}`, status };
    }
    default:
      return response satisfies never;
  }
}

function blobOf(bytes: Uint8Array): { readonly blob?: readonly BlobPart[] } {
  const blob = describeBlob(bytes);
  return blob === undefined ? {} : { blob };
}

function describeDelivery({
  delayMs,
  isDropped,
  truncateTo,
  contentType,
}: DeviceExchange['answer']['delivery']): string {
  return [
    delayMs > 0 ? `${delayMs} ms late` : '',
    isDropped ? 'connection dropped' : '',
    truncateTo === undefined ? '' : 'cut off',
    contentType === undefined ? '' : `as ${contentType}`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}

/** One a device; far more than anybody looks at. */
export const maxTraces = 500;

/** A device that never ends still has a first and a last page. */
const maxSteps = 64;
