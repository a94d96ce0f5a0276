/**
 * A hub over HTTP: `POST /devices/{deviceId}/messages/events` in, 204 out, and errors in the hub's own
 * shape, which is not the provisioning service's.
 */
import { isEndorseError } from '@endorse/interface';
import { createGuid, parseHubTarget } from '@endorse/protocol';
import type { EmulatorCore } from '../core/core.ts';
import type { IotHub } from '../hub/hub.ts';
import type { HubFault } from '../hub/hub-fault.ts';
import type { Stamps } from './fault-answer.ts';
import type { HttpAnswer, HttpCall, HttpHandler } from './http-call.ts';
import { writeFaultyAnswer } from './faulty-answer.ts';
import { findMethodProblem } from './methods.ts';

/** Largest event, in bytes: the hub's own limit. */
export const maxEventBytes = 262_144;

/** Makes the handler of one hub. */
export function createHubHandler(core: EmulatorCore, hub: IotHub, stamps: Stamps): HttpHandler {
  return {
    handle: answer,
    refuseConnection: (status) => refuseUnread({ ...badRequest('the bytes are no HTTP request'), status }),
    refuseUpgrade: (reason) => refuseUnread(badRequest(reason)),
  };

  function answer(call: HttpCall): HttpAnswer {
    let target;
    try {
      target = parseHubTarget(call.method, call.target);
    } catch (error) {
      if (!isEndorseError(error) || error.fault !== 'peer') throw error;
      const reason = findMethodProblem(error);
      if (reason === undefined) return refuseUnread(badRequest(error.message));
      return refuseUnread({ status: 405, code: 'MethodNotAllowed', errorCode: 405_000, reason }, [
        'allow',
        'POST',
      ]);
    }
    if (target === undefined) {
      return refuseUnread({
        status: 404,
        code: 'NotFound',
        errorCode: 404_000,
        reason: 'no such path on this hub',
      });
    }
    if (call.body === undefined) {
      const reason = `an event may have ${maxEventBytes} bytes`;
      return refuseUnread({ status: 413, code: 'MessageTooLarge', errorCode: 413_001, reason });
    }
    return acceptEvent(call, target.deviceId, call.body);
  }

  function acceptEvent(call: HttpCall, deviceId: string, body: Uint8Array): HttpAnswer {
    const subject = { carrier: 'http', operation: 'send-event', device: deviceId } as const;
    const answered = core.underFaults(subject, () =>
      hub.acceptEvent({
        deviceId,
        token: call.headers.authorization,
        certificate: call.certificates?.[0],
        body,
        contentType: call.headers['content-type'],
        properties: readProperties(call),
      }),
    );
    return writeFaultyAnswer(answered, {
      refused: ({ status, errorCode, message: code, reason = code, retryAfterSeconds }) => {
        const pause = retryAfterSeconds === undefined ? [] : ['retry-after', String(retryAfterSeconds)];
        return writeFault({ status, errorCode, code, reason }, pause);
      },
      answered: (fault) =>
        fault === undefined ? { status: 204, headers: requestId(), body: '' } : writeFault(fault),
    });
  }

  function refuseUnread(fault: HubFault, headers: readonly string[] = []): HttpAnswer {
    const { status, errorCode, code: message, reason } = fault;
    core.emit({ event: 'request-refused', operation: 'send-event', status, errorCode, message, reason });
    return writeFault(fault, headers);
  }

  function writeFault({ status, code, reason }: HubFault, more: readonly string[] = []): HttpAnswer {
    const trackingId = createGuid(stamps.random);
    const body = {
      Message: `ErrorCode:${code};${reason}`,
      ExceptionMessage: `Tracking ID:${trackingId}-TimeStamp:${new Date(stamps.clock.now()).toISOString()}`,
    };
    const headers = ['content-type', 'application/json; charset=utf-8', 'iothub-errorcode', code, ...more];
    return { status, headers: [...headers, 'x-ms-request-id', trackingId], body: JSON.stringify(body) };
  }

  function requestId(): readonly string[] {
    return ['x-ms-request-id', createGuid(stamps.random)];
  }
}

function badRequest(reason: string): HubFault {
  return { status: 400, code: 'ArgumentInvalid', errorCode: 400_004, reason };
}

const propertyPrefix = 'iothub-app-';

function readProperties({ headers }: HttpCall): Readonly<Record<string, string>> {
  const entries = Object.entries(headers).filter(([name]) => name.startsWith(propertyPrefix));
  return Object.fromEntries(
    entries.map(([name, value]) => [name.slice(propertyPrefix.length), String(value)]),
  );
}
