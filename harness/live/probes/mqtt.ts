import { setTimeout as pause } from 'node:timers/promises';
import type { JsonObject } from '@endorse/interface';
import type { Facts, Names } from '../facts.ts';
import { describeJson, inStep, scrubText } from '../facts.ts';
import type { Probe } from '../probe.ts';
import { ProbeFailure, textMember } from '../probe.ts';
import type { ServiceUnderTest } from '../../support/service/service-under-test.ts';
import type { MqttAnswer, MqttConnection } from '../wire/mqtt.ts';
import { connectMqtt } from '../wire/mqtt.ts';
import type { KeyDevice } from '../device.ts';
import { enrollKeyDevice, hmacWith, keyToken, signToken } from '../device.ts';

const registerTopic = (rid: string): string => `$dps/registrations/PUT/iotdps-register/?$rid=${rid}`;
const pollTopic =
  (operationId: string) =>
  (rid: string): string =>
    `$dps/registrations/GET/iotdps-get-operationstatus/?$rid=${rid}&operationId=${operationId}`;
const maxPolls = 20;

/** Registration over MQTT, and refusals. */
export const mqttProbes: readonly Probe[] = [
  {
    name: 'MQTT: register by a symmetric key',
    assumes:
      'Response topics carry the status, $rid first and retry-after in lower case; messages come with QoS 1.',
    observe: async (service) => {
      const device = await enrollKeyDevice(service);
      await using connection = await connect(service, device);
      const startedAt = performance.now();
      const accepted = await connection.request(
        registerTopic,
        JSON.stringify({ registrationId: device.registrationId }),
      );
      const poll = (): ReturnType<MqttConnection['request']> =>
        connection.request(pollTopic(textMember(bodyOf(accepted), 'operationId')), ' ');
      const early = await poll();
      let last = early;
      let polls = 1;
      for (; bodyOf(last)['status'] === 'assigning' && polls < maxPolls; polls += 1) {
        const [, asked = '3'] = /retry-after=(\d+)/i.exec(last.topic) ?? [];
        await pause(Math.min(Number(asked), 10) * 1000);
        last = await poll();
      }
      return {
        facts: {
          'session present': String(connection.connack.sessionPresent),
          'granted QoS': String(connection.grantedQos),
          ...inStep('accepted', describeMqtt(accepted, device.names)),
          ...inStep('first poll', describeMqtt(early, device.names)),
          ...inStep('end', describeMqtt(last, device.names)),
        },
        figures: {
          'until assigned': `${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
          polls: String(polls),
        },
      };
    },
  },
  {
    name: 'MQTT: wrong token',
    assumes: 'The connection is refused with the return code 5, not authorised.',
    observe: async (service) => {
      const device = await enrollKeyDevice(service);
      const outcome = await connectMqtt(
        service,
        device,
        await signToken(device, hmacWith(new Uint8Array(64))),
      );
      if ('connack' in outcome) {
        await outcome[Symbol.asyncDispose]();
        return { facts: { outcome: 'accepted' } };
      }
      return { facts: { outcome: `return code ${outcome.returnCode ?? 'none: the connection was closed'}` } };
    },
  },
  {
    name: 'MQTT: unknown operation id',
    assumes: 'The response topic carries 404, the message the error body of HTTPS.',
    observe: async (service) => {
      const device = await enrollKeyDevice(service);
      await using connection = await connect(service, device);
      const unknown = '5.0123456789abcdef.00000000-0000-4000-8000-000000000000';
      return { facts: describeMqtt(await connection.request(pollTopic(unknown), ' '), device.names) };
    },
  },
  {
    name: 'MQTT: a body that is no JSON',
    assumes: 'The response topic carries 400.',
    observe: async (service) => {
      const device = await enrollKeyDevice(service);
      await using connection = await connect(service, device);
      return { facts: describeMqtt(await connection.request(registerTopic, '{"'), device.names) };
    },
  },
];

async function connect(service: ServiceUnderTest, device: KeyDevice): Promise<MqttConnection> {
  const outcome = await connectMqtt(service, device, await keyToken(device));
  if ('connack' in outcome) return outcome;
  throw new ProbeFailure(`MQTT return code ${outcome.returnCode ?? 'none'}`);
}

function describeMqtt(answer: MqttAnswer & { readonly rid: string }, names: Names): Facts {
  return {
    topic: scrubText(answer.topic.replace(answer.rid, '<rid>'), names),
    QoS: String(answer.qos),
    ...describeJson(bodyOf(answer), names),
  };
}

function bodyOf({ payload }: MqttAnswer): JsonObject {
  return JSON.parse(payload) as JsonObject;
}
