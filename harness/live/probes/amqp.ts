import { setTimeout as pause } from 'node:timers/promises';
import type { JsonObject } from '@endorse/interface';
import {
  decodeSaslTpmSegment,
  encodeSaslPlain,
  encodeSaslTpmIdentity,
  encodeSaslTpmStorageRootKey,
  encodeSaslTpmToken,
  saslPlain,
  saslTpm,
} from '@endorse/protocol';
import { Secret } from '@endorse/interface';
import type { Facts, Names } from '../facts.ts';
import { describeFormat, describeJson, inStep, scrubText } from '../facts.ts';
import type { Probe } from '../probe.ts';
import { ProbeFailure, textMember } from '../probe.ts';
import type { AmqpAnswer } from '../wire/amqp.ts';
import { attachLinks } from '../wire/amqp.ts';
import type { SaslRecord } from '../wire/sasl.ts';
import { recordSasl } from '../wire/sasl.ts';
import { enrollKeyDevice, hmacWith, keyToken, resourceOf, signToken } from '../device.ts';
import { answerChallenge, enrollTpmProbeDevice, openBlob } from './tpm-device.ts';

const register = { 'iotdps-operation-type': 'iotdps-register', 'iotdps-forceRegistration': false };
const maxPolls = 20;

/** Registration over AMQP: the SASL layer, the links, and refusals. */
export const amqpProbes: readonly Probe[] = [
  {
    name: 'AMQP: SASL PLAIN with a good token',
    assumes: 'TPM, PLAIN, EXTERNAL and ANONYMOUS are offered, as an array; a good token has the outcome 0.',
    observe: async (service) => {
      const device = await enrollKeyDevice(service);
      const record = await recordSasl(service, plainScript(resourceOf(device), await keyToken(device)));
      return { facts: describeSasl(record) };
    },
  },
  {
    name: 'AMQP: SASL PLAIN with a wrong token',
    assumes: 'The outcome is 1, authentication failed.',
    observe: async (service) => {
      const device = await enrollKeyDevice(service);
      const token = await signToken(device, hmacWith(new Uint8Array(64)));
      return { facts: describeSasl(await recordSasl(service, plainScript(resourceOf(device), token))) };
    },
  },
  {
    name: 'AMQP: SASL TPM',
    assumes:
      'The storage root key is asked for with the single byte 00; the blob comes in two segments, the first of 470 bytes, ' +
      'under the control bytes 80 and C1; a good token has the outcome 0.',
    observe: async (service) => {
      const device = await enrollTpmProbeDevice(service);
      const { idScope, registrationId, keys } = device;
      const { endorsementKey } = keys;
      let blob: Uint8Array = new Uint8Array();
      const record = await recordSasl(service, {
        mechanism: saslTpm,
        initialResponse: encodeSaslTpmIdentity({ idScope, registrationId, endorsementKey }),
        respond: async (challenges) => {
          const [, ...segments] = challenges;
          const last = segments.at(-1);
          if (last === undefined) return encodeSaslTpmStorageRootKey(keys.storageRootKey);
          if (!decodeSaslTpmSegment(last).isLast) return Uint8Array.of(0);
          blob = Buffer.concat(segments.map((segment) => decodeSaslTpmSegment(segment).data));
          return encodeSaslTpmToken(await answerChallenge(device, blob));
        },
      });
      const [first, ...segments] = record.challenges;
      return {
        facts: {
          ...describeSasl(record),
          'key request': Buffer.from(first ?? []).toString('hex'),
          segments: segments.map((segment) => segment[0]?.toString(16)).join(' '),
          'first segment': `${decodeSaslTpmSegment(segments[0] ?? new Uint8Array()).data.byteLength} bytes`,
          ...openBlob(device, blob).facts,
        },
        figures: { 'challenge blob': `${blob.byteLength} bytes` },
      };
    },
  },
  {
    name: 'AMQP: register by a symmetric key',
    assumes:
      'Answers are data sections with the JSON of HTTPS, the correlation id of the request, and retry-after under both ' +
      'spellings.',
    observe: async (service) => {
      const device = await enrollKeyDevice(service);
      await using links = await attachLinks(service, device, await keyToken(device));
      const startedAt = performance.now();
      const accepted = await links.request(
        register,
        JSON.stringify({ registrationId: device.registrationId }),
      );
      const query = {
        'iotdps-operation-type': 'iotdps-get-operationstatus',
        'iotdps-operation-id': textMember(bodyOf(accepted), 'operationId'),
      };
      const early = await links.request(query, '');
      let last = early;
      let polls = 1;
      for (; bodyOf(last)['status'] === 'assigning' && polls < maxPolls; polls += 1) {
        await pause(pauseSeconds(last) * 1000);
        last = await links.request(query, '');
      }
      return {
        facts: {
          ...inStep('accepted', describeAmqp(accepted, device.names)),
          ...inStep('first poll', describeAmqp(early, device.names)),
          ...inStep('end', describeAmqp(last, device.names)),
        },
        figures: {
          'until assigned': `${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
          polls: String(polls),
        },
      };
    },
  },
  {
    name: 'AMQP: unknown operation id',
    assumes: 'The request is rejected with amqp:not-found and the error body of HTTPS as its description.',
    observe: async (service) => {
      const device = await enrollKeyDevice(service);
      await using links = await attachLinks(service, device, await keyToken(device));
      const answer = await links.request(
        {
          'iotdps-operation-type': 'iotdps-get-operationstatus',
          'iotdps-operation-id': '5.0123456789abcdef.00000000-0000-4000-8000-000000000000',
        },
        '',
      );
      return { facts: describeAmqp(answer, device.names) };
    },
  },
  {
    name: 'AMQP: unknown operation type',
    assumes: 'The request is rejected with com.microsoft:argument-error, and the links stay.',
    observe: async (service) => {
      const device = await enrollKeyDevice(service);
      await using links = await attachLinks(service, device, await keyToken(device));
      const refused = await links.request({ 'iotdps-operation-type': 'iotdps-nothing' }, '{}');
      const next = await links.request(register, JSON.stringify({ registrationId: device.registrationId }));
      return { facts: { ...describeAmqp(refused, device.names), 'next request': next.kind } };
    },
  },
];

function plainScript(userName: string, token: string): Parameters<typeof recordSasl>[1] {
  return {
    mechanism: saslPlain,
    initialResponse: encodeSaslPlain(userName, Secret.fromText(token)),
    respond: async () => {
      throw new ProbeFailure('PLAIN was answered with a challenge');
    },
  };
}

function describeSasl({ mechanisms, mechanismsType, challenges, outcome }: SaslRecord): Facts {
  return {
    'mechanisms offered': mechanisms.toSorted().join(' '),
    'mechanisms written as': mechanismsType,
    challenges: String(challenges.length),
    outcome: outcome === undefined ? 'the connection was closed' : String(outcome),
  };
}

function describeAmqp(answer: AmqpAnswer, names: Names): Facts {
  if (answer.kind === 'rejected') {
    return {
      outcome: 'rejected',
      condition: answer.condition,
      ...describeInfo('info', answer.info),
      ...describeText(answer.description, names),
    };
  }
  return {
    outcome: 'message',
    'correlation id': answer.isCorrelated ? 'that of the request' : 'another',
    ...describeInfo('property', answer.message.application_properties ?? {}),
    ...describeJson(bodyOf(answer), names),
  };
}

function describeInfo(what: string, values: object): Facts {
  const entries = Object.entries(values) as [string, unknown][];
  return Object.fromEntries(
    entries.map(([name, value]) => [
      `${what} ${name}`,
      /retry-after|status/i.test(name)
        ? `${typeof value} ${String(value)}`
        : describeFormat(String(value), []),
    ]),
  );
}

function describeText(description: string, names: Names): Facts {
  try {
    return describeJson(JSON.parse(description) as JsonObject, names, 'description');
  } catch {
    return { description: scrubText(description, names) };
  }
}

function bodyOf(answer: AmqpAnswer): JsonObject {
  if (answer.kind === 'rejected') throw new ProbeFailure(`AMQP rejected: ${answer.condition}`);
  const { content } = answer.message.body as { readonly content: Buffer };
  return JSON.parse(content.toString('utf8')) as JsonObject;
}

function pauseSeconds(answer: AmqpAnswer): number {
  const properties = answer.kind === 'message' ? answer.message.application_properties : undefined;
  return Math.min(Number(properties?.['retry-after'] ?? 3), 10);
}
