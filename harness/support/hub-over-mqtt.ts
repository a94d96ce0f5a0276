import type { JsonObject, JsonValue } from '@endorse/interface';
import type { HubToDeviceTopic } from '@endorse/protocol';
import {
  decodeDesiredPatch,
  decodeMethodPayload,
  decodeTwinBody,
  encodeDeviceToHubTopic,
  encodeHubUserName,
  encodeMethodPayload,
  encodeReportedPatch,
  hubFilters,
  parseHubToDeviceTopic,
} from '@endorse/protocol';
import type { DeviceTwinBody, TwinProperties } from '@endorse/protocol';
import type { MqttClient } from 'mqtt';
import { connectAsync } from 'mqtt';
import type { HubCredentials } from './telemetry.ts';

/** Whom a device connects to over MQTT, and as whom. */
export interface HubOverMqttOptions {
  readonly assignedHub: string;
  readonly deviceId: string;
  readonly credentials: HubCredentials;
  readonly caPem: string;
  /** `mqtt` on the port of the hub, or the same in a WebSocket. */
  readonly carrier: 'mqtt' | 'mqtt-ws';
  /** Answers direct methods. */
  readonly onMethod?: (methodName: string, payload: JsonValue) => JsonValue;
  /** Called with every change of the desired properties. */
  readonly onDesired?: (patch: TwinProperties) => void;
  readonly signal: AbortSignal;
}

/** A device that is connected to its hub, on mqtt.js. */
export interface HubOverMqtt extends AsyncDisposable {
  /** Resolves once the hub has acknowledged the message. */
  sendTelemetry(message: JsonObject): Promise<void>;
  readTwin(): Promise<DeviceTwinBody>;
  /** Resolves to the version of the reported properties. */
  patchReported(patch: JsonObject): Promise<number>;
}

/** Connects a device to its hub. Rejects when the hub refuses it. */
export async function connectHubOverMqtt(options: HubOverMqttOptions): Promise<HubOverMqtt> {
  const { assignedHub, deviceId, credentials, carrier, caPem, signal } = options;
  const { tokens, certificate } = credentials;
  const token = await tokens?.getToken({ signal });
  const url = carrier === 'mqtt' ? `mqtts://${assignedHub}` : `wss://${assignedHub}/$iothub/websocket`;
  const client = await connectAsync(url, {
    ca: caPem,
    clientId: deviceId,
    username: encodeHubUserName({ hubHost: assignedHub, deviceId }),
    ...(token === undefined ? {} : { password: token.sasToken.revealText() }),
    ...(certificate === undefined
      ? {}
      : { cert: certificate.certificatePem, key: certificate.privateKeyPem.revealText() }),
    protocolVersion: 4,
    connectTimeout: 10_000,
    reconnectPeriod: 0,
  });
  const end = (): void => void client.end(true);
  signal.addEventListener('abort', end, { once: true });
  client.once('close', () => signal.removeEventListener('abort', end));
  client.on('error', () => undefined);
  client.on('message', (topic, payload) => serve(client, options, topic, payload));
  await client.subscribeAsync(Object.values(hubFilters));
  let lastRequest = 0;
  const ask = (kind: 'get-twin' | 'patch-reported', body: string): Promise<TwinResponse> =>
    request(client, kind, String((lastRequest += 1)), body, signal);
  return {
    sendTelemetry: async (message) => {
      const system = { ct: 'application/json', ce: 'utf-8' };
      const topic = encodeDeviceToHubTopic({ kind: 'telemetry', deviceId, system });
      await client.publishAsync(topic, JSON.stringify(message), { qos: 1 });
    },
    readTwin: async () => decodeTwinBody((await ask('get-twin', '')).payload),
    patchReported: async (patch) =>
      (await ask('patch-reported', encodeReportedPatch(patch))).topic.version ?? 0,
    [Symbol.asyncDispose]: async () => client.endAsync(),
  };
}

interface TwinResponse {
  readonly topic: Extract<HubToDeviceTopic, { readonly kind: 'twin-response' }>;
  readonly payload: Uint8Array;
}

function request(
  client: MqttClient,
  kind: 'get-twin' | 'patch-reported',
  requestId: string,
  body: string,
  signal: AbortSignal,
): Promise<TwinResponse> {
  return new Promise((resolve, reject) => {
    const onMessage = (text: string, payload: Buffer): void => {
      const topic = parseHubToDeviceTopic(text);
      if (topic?.kind !== 'twin-response' || topic.requestId !== requestId) return;
      release();
      if (topic.status < 300) resolve({ topic, payload });
      else reject(new Error(`the hub answered ${topic.status} to ${kind}: ${String(payload)}`));
    };
    const onClose = (): void => {
      release();
      reject(signal.aborted ? signal.reason : new Error(`the connection was lost during ${kind}`));
    };
    const release = (): void => void client.off('message', onMessage).off('close', onClose);
    client.on('message', onMessage).on('close', onClose);
    client.publish(encodeDeviceToHubTopic({ kind, requestId }), body);
  });
}

/** Serves what the hub sends of its own accord. */
function serve(
  client: MqttClient,
  { onMethod = () => null, onDesired = () => undefined }: HubOverMqttOptions,
  text: string,
  payload: Uint8Array,
): void {
  const topic = parseHubToDeviceTopic(text);
  if (topic?.kind === 'desired-properties') onDesired(decodeDesiredPatch(payload));
  if (topic?.kind !== 'method') return;
  const answer = encodeMethodPayload(onMethod(topic.methodName, decodeMethodPayload(payload)));
  const { requestId } = topic;
  client.publish(encodeDeviceToHubTopic({ kind: 'method-response', requestId, status: 200 }), answer);
}
