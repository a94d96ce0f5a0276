/** Direct methods: a call goes to a connected device, and its answer, or that there is none, to the caller. */
import type { Clock, JsonValue } from '@endorse/interface';
import type { DeviceConnections } from './device-connections.ts';
import type { HubRefusal } from './hub-fault.ts';
import { hubRefusals } from './hub-fault.ts';

/** A method to run on a device. */
export interface MethodInvocation {
  /** 1 to 64 printable ASCII characters but spaces and `$()<>@,;:\"/[]?={}`. */
  readonly methodName: string;
  /** At most 128 KiB as JSON; default null. */
  readonly payload?: JsonValue;
  /** How long to wait for the device's answer, in milliseconds, 1 to 300,000; default 30,000. */
  readonly responseTimeoutMs?: number;
  /** How long to wait for a device that is not there to connect, in milliseconds, 0 to 300,000; default 0. */
  readonly connectTimeoutMs?: number;
}

/** What a device made of a method. */
export interface MethodAnswer {
  /** The device's own status; 200 by convention for success. */
  readonly status: number;
  readonly payload: JsonValue;
}

/** The outcome of a method. */
export type MethodOutcome = ({ readonly outcome: 'answered' } & MethodAnswer) | HubRefusal;

/** The methods under way on one hub. */
export interface DirectMethods {
  /** Runs a method on a device. Never rejects, and settles within the two timeouts. */
  invoke(deviceId: string, invocation: MethodInvocation): Promise<MethodOutcome>;
  /** Takes a device's answer; false when no such call waits for one. */
  answer(deviceId: string, requestId: string, answer: MethodAnswer): boolean;
  /** Fails the calls a device has not answered, because it is gone. */
  abandon(deviceId: string): void;
}

/** Makes a desk without calls. */
export function createDirectMethods(connections: DeviceConnections, clock: Clock): DirectMethods {
  const calls = new Map<
    string,
    { readonly deviceId: string; readonly settle: (outcome: MethodOutcome) => void }
  >();
  let lastCall = 0;

  return {
    invoke: async (deviceId, invocation) => {
      const problem = findInvocationProblem(invocation);
      if (problem !== undefined) return hubRefusals.invalidArgument(problem);
      const { methodName, payload = null, responseTimeoutMs = 30_000, connectTimeoutMs = 0 } = invocation;
      const connection = await connections.waitFor(deviceId, 'methods', connectTimeoutMs);
      if (connection === undefined) {
        return hubRefusals.deviceNotOnline(`device ${deviceId} is not connected, or takes no methods`);
      }
      const requestId = String((lastCall += 1));
      return new Promise((resolve) => {
        const timer = new AbortController();
        const settle = (outcome: MethodOutcome): void => {
          calls.delete(requestId);
          timer.abort();
          resolve(outcome);
        };
        calls.set(requestId, { deviceId, settle });
        const reason = `device ${deviceId} did not answer method ${methodName} within ${responseTimeoutMs} ms`;
        clock.sleep(responseTimeoutMs, timer.signal).then(
          () => settle(hubRefusals.methodTimeout(reason)),
          () => undefined,
        );
        connection.deliverMethod({ requestId, methodName, payload });
      });
    },
    answer: (deviceId, requestId, answer) => {
      const call = calls.get(requestId);
      if (call?.deviceId !== deviceId) return false;
      call.settle({ outcome: 'answered', ...answer });
      return true;
    },
    abandon: (deviceId) => {
      for (const call of [...calls.values()]) {
        if (call.deviceId !== deviceId) continue;
        call.settle(hubRefusals.deviceNotOnline(`device ${deviceId} disconnected before it answered`));
      }
    },
  };
}

function findInvocationProblem(invocation: MethodInvocation): string | undefined {
  const { methodName, payload = null, responseTimeoutMs = 1, connectTimeoutMs = 0 } = invocation;
  if (!isMethodName.test(methodName)) return 'the method name is not 1 to 64 of the characters allowed';
  if (!isWholeNumber(responseTimeoutMs, 1)) return 'responseTimeoutMs is no whole number from 1 to 300,000';
  if (!isWholeNumber(connectTimeoutMs, 0)) return 'connectTimeoutMs is no whole number from 0 to 300,000';
  return Buffer.byteLength(JSON.stringify(payload)) > maxPayloadBytes
    ? `the payload has more than ${maxPayloadBytes} bytes`
    : undefined;
}

const isMethodName = /^(?![^]*[$()<>@,;:\\"/[\]?={}])[!-~]{1,64}$/;
const maxPayloadBytes = 131_072;

function isWholeNumber(value: number, minimum: number): boolean {
  return Number.isInteger(value) && value >= minimum && value <= 300_000;
}
