/** One device connected to a hub over MQTT: telemetry and answers in, the twin both ways. */
import { isEndorseError } from '@endorse/interface';
import type { DeviceToHubTopic } from '@endorse/protocol';
import {
  decodeMethodPayload,
  decodeReportedPatch,
  encodeHubToDeviceTopic,
  encodeTwinBody,
  hubFilters,
  parseDeviceToHubTopic,
} from '@endorse/protocol';
import type { DeviceFeed } from '../hub/device-connections.ts';
import type { DeviceSession } from '../hub/device-session.ts';
import type { FaultInjection } from '../faults/fault-injection.ts';
import type { HubFault } from '../hub/hub-fault.ts';
import { hubRefusals } from '../hub/hub-fault.ts';
import type { NoteHubFault } from './hub-mqtt.ts';
import type { MqttLink, MqttMessage, MqttSession } from './mqtt-service.ts';

/** What a session works with. */
export interface HubMqttSessionParts {
  readonly session: DeviceSession;
  readonly link: MqttLink;
  readonly note: NoteHubFault;
  readonly underFaults: FaultInjection['underFaults'];
}

/** Makes the session of a device that the hub has let in. */
export function createHubMqttSession({ session, link, note, underFaults }: HubMqttSessionParts): MqttSession {
  const { deviceId } = session;
  return {
    filters: [...Object.values(hubFilters), ...deviceBoundFilters(deviceId)],
    onSubscription: (filter, wanted) => {
      const feed = feeds[filter];
      if (feed !== undefined) session.setFeed(feed, wanted);
    },
    receive: (message) => {
      const topic = attempt(() => parseDeviceToHubTopic(message.topic));
      if (!topic.ok) return drop(topic.reason);
      return topic.value === undefined
        ? drop('a device may not publish to this topic')
        : take(topic.value, message);
    },
    close: () => session.close(),
  };

  function take(topic: DeviceToHubTopic, { payload }: MqttMessage): boolean {
    switch (topic.kind) {
      case 'telemetry': {
        if (!isSameDevice(topic.deviceId)) return drop('the topic is of another device');
        if (topic.moduleId !== undefined) return drop('modules are not served, devices are');
        const { system, properties } = topic;
        const subject = { carrier: 'mqtt', operation: 'send-event', device: deviceId } as const;
        const event = { body: payload, contentType: system['ct'], properties };
        const answer = underFaults(subject, () => session.sendEvent(event));
        // There is no error answer to a message: the connection ends.
        return answer.outcome === 'answered' && !answer.delivery.isDropped;
      }
      case 'get-twin':
        respond(topic.requestId, { status: 200 }, encodeTwinBody(session.readTwin()));
        return true;
      case 'patch-reported': {
        const patch = attempt(() => decodeReportedPatch(payload));
        const outcome = patch.ok
          ? session.patchReported(patch.value)
          : hubRefusals.invalidArgument(patch.reason);
        if (outcome.outcome === 'refused') refuseTwin(topic.requestId, outcome.fault);
        else respond(topic.requestId, { status: 204, version: outcome.twin.reported.version }, '');
        return true;
      }
      case 'method-response': {
        const { requestId, status } = topic;
        const answer = attempt(() => decodeMethodPayload(payload));
        if (answer.ok) session.answerMethod(requestId, { status, payload: answer.value });
        else note('answer-method', hubRefusals.invalidArgument(answer.reason).fault, deviceId);
        return true;
      }
      default:
        return topic satisfies never;
    }
  }

  /** Some clients encode the id, others write it as it is. */
  function isSameDevice(written: string): boolean {
    return written === deviceId || decode(written) === deviceId;
  }

  function refuseTwin(requestId: string, fault: HubFault): void {
    note('patch-reported', fault, deviceId);
    const { errorCode, reason: message } = fault;
    respond(requestId, { status: fault.status }, JSON.stringify({ errorCode, message }));
  }

  function respond(
    requestId: string,
    outcome: { readonly status: number; readonly version?: number },
    body: string,
  ): void {
    const topic = encodeHubToDeviceTopic({ kind: 'twin-response', requestId, ...outcome });
    link.publish(hubFilters.twinResponses, { topic, payload: Buffer.from(body) });
  }

  function drop(reason: string): false {
    note('publish', hubRefusals.invalidArgument(reason).fault, deviceId);
    return false;
  }
}

const feeds: Readonly<Record<string, DeviceFeed>> = {
  [hubFilters.methods]: 'methods',
  [hubFilters.desiredProperties]: 'desired-properties',
};

/** Cloud-to-device messages: subscribed to by SDKs, never sent here. */
function deviceBoundFilters(deviceId: string): readonly string[] {
  return [deviceId, encodeURIComponent(deviceId)].map((id) => `devices/${id}/messages/devicebound/#`);
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** What a decoder returns, or what it says is wrong. */
function attempt<Value>(
  decodeValue: () => Value,
): { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly reason: string } {
  try {
    return { ok: true, value: decodeValue() };
  } catch (error) {
    if (!isEndorseError(error)) throw error;
    return { ok: false, reason: error.message };
  }
}
