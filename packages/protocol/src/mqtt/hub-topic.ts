/** Topics of a hub's device API, both directions: telemetry, twin and direct methods. */
import { InvalidArgumentError } from '@endorse/interface';
import { validateDeviceId } from '../identifiers/registration-id.ts';
import { malformed } from '../json/malformed.ts';
import { percentEncode } from '../sas/sas-resource.ts';
import type { MessageProperties } from './property-bag.ts';
import { decodePropertyBag, encodePropertyBag } from './property-bag.ts';
import type { TopicParts } from './topic-query.ts';
import { decodePercent, findRequestIdProblem, requireRequestId, splitTopic } from './topic-query.ts';

/** What a device subscribes to at its hub. */
export const hubFilters: Readonly<Record<'twinResponses' | 'desiredProperties' | 'methods', string>> =
  Object.freeze({
    /** Answers to twin requests. */
    twinResponses: '$iothub/twin/res/#',
    /** Changes of the desired properties. */
    desiredProperties: '$iothub/twin/PATCH/properties/desired/#',
    /** Direct methods. */
    methods: '$iothub/methods/POST/#',
  });

/** What a device publishes to its hub, as the topic tells it. */
export type DeviceToHubTopic =
  | ({
      readonly kind: 'telemetry';
      /** As it stands in the topic: some clients percent-encode it. */
      readonly deviceId: string;
      /** Present for a module's telemetry. */
      readonly moduleId?: string;
    } & MessageProperties)
  | { readonly kind: 'get-twin'; readonly requestId: string }
  | { readonly kind: 'patch-reported'; readonly requestId: string }
  | { readonly kind: 'method-response'; readonly requestId: string; readonly status: number };

/** What a hub publishes to a device, as the topic tells it. */
export type HubToDeviceTopic =
  | {
      readonly kind: 'twin-response';
      readonly requestId: string;
      /** HTTP-like. */
      readonly status: number;
      /** The version the reported properties have now; with status 204. */
      readonly version?: number;
    }
  | { readonly kind: 'desired-properties'; readonly version: number }
  | { readonly kind: 'method'; readonly requestId: string; readonly methodName: string };

/** Topic of anything a device publishes. Throws `ERR_INVALID_ARGUMENT`. */
export function encodeDeviceToHubTopic(
  message:
    | ({ readonly kind: 'telemetry'; readonly deviceId: string } & Partial<MessageProperties>)
    | Exclude<DeviceToHubTopic, { readonly kind: 'telemetry' }>,
): string {
  switch (message.kind) {
    case 'telemetry':
      // # and + may be in an id, but not in a topic that is published to.
      return `devices/${percentEncode(validateDeviceId(message.deviceId))}/messages/events/${encodePropertyBag(message)}`;
    case 'get-twin':
      return `$iothub/twin/GET/?$rid=${checkRequestId(message.requestId)}`;
    case 'patch-reported':
      return `$iothub/twin/PATCH/properties/reported/?$rid=${checkRequestId(message.requestId)}`;
    case 'method-response':
      return `$iothub/methods/res/${checkNumber('status', message.status)}/?$rid=${checkRequestId(message.requestId)}`;
    default:
      return message satisfies never;
  }
}

/** Decodes the topic of anything a device publishes; undefined when it is no topic of the hub. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE`. */
export function parseDeviceToHubTopic(topic: string): DeviceToHubTopic | undefined {
  if (topic.startsWith('devices/')) return parseTelemetryTopic(topic);
  const parts = splitTopic(topic);
  if (parts.path === '$iothub/twin/GET') return { kind: 'get-twin', requestId: requireRequestId(parts) };
  if (parts.path === '$iothub/twin/PATCH/properties/reported') {
    return { kind: 'patch-reported', requestId: requireRequestId(parts) };
  }
  const status = /^\$iothub\/methods\/res\/([^/]*)$/.exec(parts.path)?.[1];
  if (status === undefined) return undefined;
  return {
    kind: 'method-response',
    requestId: requireRequestId(parts),
    status: readNumber('status', status, /^-?\d{1,10}$/),
  };
}

/** Topic of anything a hub publishes. Throws `ERR_INVALID_ARGUMENT`. */
export function encodeHubToDeviceTopic(message: HubToDeviceTopic): string {
  switch (message.kind) {
    case 'twin-response': {
      const version =
        message.version === undefined ? '' : `&$version=${checkNumber('version', message.version)}`;
      return `$iothub/twin/res/${checkNumber('status', message.status)}/?$rid=${checkRequestId(message.requestId)}${version}`;
    }
    case 'desired-properties':
      return `$iothub/twin/PATCH/properties/desired/?$version=${checkNumber('version', message.version)}`;
    case 'method':
      return `$iothub/methods/POST/${percentEncode(message.methodName)}/?$rid=${checkRequestId(message.requestId)}`;
    default:
      return message satisfies never;
  }
}

/** Decodes the topic of anything a hub publishes; undefined when it is none of these. Throws `ERR_REMOTE_MALFORMED` or `ERR_REMOTE_TOO_LARGE`. */
export function parseHubToDeviceTopic(topic: string): HubToDeviceTopic | undefined {
  const parts = splitTopic(topic);
  if (parts.path === '$iothub/twin/PATCH/properties/desired') {
    return { kind: 'desired-properties', version: requireVersion(parts) };
  }
  const status = /^\$iothub\/twin\/res\/([^/]*)$/.exec(parts.path)?.[1];
  if (status !== undefined) {
    return {
      kind: 'twin-response',
      requestId: requireRequestId(parts),
      status: readNumber('status', status, /^[1-5]\d\d$/),
      ...(parts.query.has('$version') ? { version: requireVersion(parts) } : {}),
    };
  }
  const methodName = /^\$iothub\/methods\/POST\/([^/]+)$/.exec(parts.path)?.[1];
  if (methodName === undefined) return undefined;
  return {
    kind: 'method',
    requestId: requireRequestId(parts),
    methodName: decodePercent('method name', methodName),
  };
}

function parseTelemetryTopic(topic: string): DeviceToHubTopic | undefined {
  const match = /^devices\/([^/]+)(?:\/modules\/([^/]+))?\/messages\/events(?:\/([^]*))?$/.exec(topic);
  if (match === null) return undefined;
  const [, deviceId = '', moduleId, bag = ''] = match;
  return {
    kind: 'telemetry',
    deviceId,
    ...(moduleId === undefined ? {} : { moduleId }),
    ...decodePropertyBag(bag),
  };
}

function requireVersion({ query }: TopicParts): number {
  return readNumber('$version', query.get('$version') ?? '', /^\d{1,15}$/);
}

function readNumber(path: string, text: string, pattern: RegExp): number {
  if (!pattern.test(text)) throw malformed('topic', path, 'must be a number', { sample: text });
  return Number(text);
}

function checkNumber(argument: string, value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError(argument, 'must be a whole number');
}

function checkRequestId(requestId: string): string {
  const problem = findRequestIdProblem(requestId);
  if (problem !== undefined) throw new InvalidArgumentError('requestId', problem);
  return requestId;
}
