import type { Clock } from '@endorse/interface';
import type { DeviceRequest, DeviceResponse } from '../core/device-requests.ts';
import type { EmulatorEventDetails } from '../core/events.ts';
import type { FaultCarrier } from './fault-rule.ts';
import type { FaultScript, FaultSubject } from './fault-script.ts';
import type { Delivery, FaultPlan, FaultyAnswer } from './faulty-call.ts';
import { operationOf, planFaults, runFaultyCall, spoilDeviceResponse } from './faulty-call.ts';

/** An answer of the device API under a fault script. */
export interface DeviceAnswer {
  /** Absent when the connection is to be dropped and nothing was done. */
  readonly response?: DeviceResponse;
  /** How to hand it over. */
  readonly delivery: Delivery;
}

/** A request of the device API and how it was answered, for whoever looks on. Holds credentials: not for logs. */
export interface DeviceExchange {
  /** When it was answered, in milliseconds since 1970. */
  readonly at: number;
  readonly carrier: FaultCarrier;
  readonly request: DeviceRequest;
  readonly answer: DeviceAnswer;
}

/** What carriers call in the place of the core's services, so that a fault script has its say. */
export interface FaultInjection {
  /** Answers a request of the device API. */
  answerDevice(carrier: FaultCarrier, request: DeviceRequest): DeviceAnswer;
  /** Runs any other request. */
  underFaults<Response>(subject: FaultSubject, handle: () => Response): FaultyAnswer<Response>;
}

/** What the injection works with. */
export interface FaultInjectionParts {
  readonly script: FaultScript;
  readonly clock: SkewableClock;
  readonly handleDeviceRequest: (request: DeviceRequest) => DeviceResponse;
  readonly emit: (event: EmulatorEventDetails) => void;
  readonly retryAfterSeconds: number;
  /** Told of every request of the device API. */
  readonly onDeviceExchange?: ((exchange: DeviceExchange) => void) | undefined;
}

/** Makes the injection over a script. */
export function createFaultInjection(parts: FaultInjectionParts): FaultInjection {
  const { script, clock, handleDeviceRequest, emit, retryAfterSeconds } = parts;
  const plan = (subject: FaultSubject): FaultPlan => {
    const hits = script.hit(subject);
    for (const { name, fault } of hits) {
      const { carrier, operation, device } = subject;
      emit({
        event: 'fault-injected',
        rule: name,
        kind: fault.kind,
        carrier,
        operation,
        ...(device === undefined ? {} : { subject: device }),
      });
    }
    return planFaults(hits);
  };
  const run = <Response>(planned: FaultPlan, handle: () => Response): FaultyAnswer<Response> =>
    runFaultyCall(planned, () => clock.skewed(planned.skewMs, handle));

  return {
    underFaults: (subject, handle) => run(plan(subject), handle),
    answerDevice: (carrier, request) => {
      const answer = answerDevice(carrier, request);
      parts.onDeviceExchange?.({ at: clock.now(), carrier, request, answer });
      return answer;
    },
  };

  function answerDevice(carrier: FaultCarrier, request: DeviceRequest): DeviceAnswer {
    const planned = plan({ carrier, operation: operationOf(request), device: request.registrationId });
    const answer = run(planned, () => handleDeviceRequest(request));
    const { delivery } = answer;
    switch (answer.outcome) {
      case 'dropped':
        return { delivery };
      case 'refused':
        return { response: { outcome: 'fault', fault: answer.fault }, delivery };
      case 'answered':
        return { response: spoilDeviceResponse(planned, answer.response, retryAfterSeconds), delivery };
      default:
        return answer satisfies never;
    }
  }
}

/** A clock that can be off for the time of one call. */
export interface SkewableClock extends Clock {
  /** Runs a call that sees a time so many milliseconds off. */
  skewed<Result>(skewMs: number, call: () => Result): Result;
}

/** Makes a clock that can be off, over one that is right. */
export function createSkewableClock(clock: Clock): SkewableClock {
  let offset = 0;
  return {
    now: () => clock.now() + offset,
    sleep: (delayMs, signal) => clock.sleep(delayMs, signal),
    skewed: (skewMs, call) => {
      const before = offset;
      offset = skewMs;
      try {
        return call();
      } finally {
        offset = before;
      }
    },
  };
}
