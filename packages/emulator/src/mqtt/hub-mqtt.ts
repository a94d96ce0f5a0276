/** A hub over MQTT: who may connect, and what the hub sends of its own accord. */
import { isEndorseError } from '@endorse/interface';
import type { HubToDeviceTopic, HubUserName } from '@endorse/protocol';
import {
  encodeDesiredPatch,
  encodeHubToDeviceTopic,
  encodeMethodPayload,
  hubFilters,
  parseHubUserName,
} from '@endorse/protocol';
import type { EmulatorCore } from '../core/core.ts';
import type { DeviceConnection } from '../hub/device-connections.ts';
import type { IotHub } from '../hub/hub.ts';
import type { HubFault } from '../hub/hub-fault.ts';
import { hubRefusals } from '../hub/hub-fault.ts';
import { createHubMqttSession } from './hub-mqtt-session.ts';
import type { ConnectReturnCode, MqttLink, MqttService } from './mqtt-service.ts';

/** Reports what a hub refuses over MQTT. */
export type NoteHubFault = (operation: string, fault: HubFault, deviceId?: string) => void;

/** Makes the service of a hub; `carrier` says how its clients come, for events. */
export function createHubMqttService(
  hub: IotHub,
  carrier: 'mqtt' | 'mqtt-ws',
  core: Pick<EmulatorCore, 'emit' | 'underFaults'>,
): MqttService {
  const note: NoteHubFault = (operation, { code: message, ...fault }, deviceId) => {
    const subject = deviceId === undefined ? {} : { subject: deviceId };
    core.emit({ event: 'request-refused', operation, ...subject, message, ...fault });
  };
  const refuse = (
    returnCode: ConnectReturnCode,
    reason: string,
    deviceId?: string,
  ): { readonly outcome: 'refused'; readonly returnCode: ConnectReturnCode } => {
    const refusal = returnCode === 5 ? hubRefusals.unauthorized : hubRefusals.invalidArgument;
    note('connect', refusal(reason).fault, deviceId);
    return { outcome: 'refused', returnCode };
  };
  return {
    connect: ({ clientId, userName = '', password, certificates }, link) => {
      const named = readUserName(userName);
      if ('reason' in named) return refuse(4, named.reason);
      const { hubHost, deviceId, moduleId } = named;
      if (moduleId !== undefined) return refuse(5, 'modules are not served, devices are', deviceId);
      if (clientId !== deviceId) return refuse(2, 'the client identifier is not the device id', deviceId);
      if (!hub.isKnownAs(hubHost)) return refuse(5, `the user name is for another hub, ${hubHost}`, deviceId);
      const credential = { deviceId, token: password, certificate: certificates?.[0] };
      const answer = hub.connect(credential, connectionOf(link, carrier));
      // The hub has reported it.
      if (answer.outcome === 'refused') return { outcome: 'refused', returnCode: 5 };
      return {
        outcome: 'accepted',
        session: createHubMqttSession({ session: answer.session, link, note, underFaults: core.underFaults }),
      };
    },
    noteViolation: (reason) => note('connect', hubRefusals.invalidArgument(reason).fault),
  };
}

function connectionOf(link: MqttLink, carrier: string): DeviceConnection {
  const publish = (filter: string, topic: HubToDeviceTopic, body: string): void =>
    link.publish(filter, { topic: encodeHubToDeviceTopic(topic), payload: Buffer.from(body) });
  return {
    carrier,
    deliverMethod: ({ requestId, methodName, payload }) =>
      publish(hubFilters.methods, { kind: 'method', requestId, methodName }, encodeMethodPayload(payload)),
    deliverDesired: ({ patch: properties, version }) =>
      publish(
        hubFilters.desiredProperties,
        { kind: 'desired-properties', version },
        encodeDesiredPatch({ properties, version }),
      ),
    disconnect: () => link.end(),
  };
}

function readUserName(userName: string): HubUserName | { readonly reason: string } {
  try {
    return parseHubUserName(userName);
  } catch (error) {
    if (!isEndorseError(error)) throw error;
    return { reason: error.message };
  }
}
