/** What good clients say to an emulator, over every carrier. */
import { createHmac } from 'node:crypto';
import type { Emulator } from '@endorse/emulator';
import { startEmulator } from '@endorse/emulator';
import { Secret } from '@endorse/interface';
import type { Transport } from '@endorse/interface';
import type { RecordedSession } from '@endorse/fuzzing';
import * as p from '@endorse/protocol';
import { register } from '@endorse/registration-core';
import { createSymmetricKeySecurityClient } from '@endorse/security-symmetric-key';
import { createSoftwareTpm } from '@endorse/testkit';
import { createAmqpTransport } from '@endorse/transport-amqp';
import { createMqttTransport } from '@endorse/transport-mqtt';
import { connectAsync } from 'mqtt';
import rhea from 'rhea';
import { bodies, enrollments } from './protocol-samples.ts';
import type { StreamRecordings } from './protocol-streams.ts';
import type { Conversation } from './recording-relay.ts';
import { recordConversation } from './recording-relay.ts';

const registrationId = 'fuzzed';
const key = Secret.fromBytes(new Uint8Array(64).fill(7));
const lifetimeMs = 3_600_000;

/** Enrolls a device with a key and registers it, so that a hub knows it, too. */
export async function enroll(emulator: Emulator): Promise<void> {
  await emulator.createSymmetricKeyEnrollment({ registrationId, primaryKey: key, secondaryKey: key });
}

function sign(resource: string, secret: Secret, keyName?: string): Promise<Secret> {
  return p.createSasToken({
    resource,
    expiresAt: Date.now() + lifetimeMs,
    ...(keyName === undefined ? {} : { keyName }),
    sign: async (data) => createHmac('sha256', secret.reveal()).update(data).digest(),
  });
}

/** A registration through one of our transports. */
export function recordRegistration(
  emulator: Emulator,
  url: string,
  carrier: 'amqp' | 'mqtt',
): Promise<Conversation> {
  return recordConversation({ url, ca: emulator.caPem }, async ({ host, ca }) => {
    const create: (options: { ca: string }) => Transport =
      carrier === 'amqp' ? createAmqpTransport : createMqttTransport;
    await register({
      transport: create({ ca }),
      provisioningHost: host,
      idScope: emulator.idScope,
      securityClient: createSymmetricKeySecurityClient({ registrationId, key }),
      signal: AbortSignal.timeout(10_000),
    });
  });
}

/** Telemetry, twin and method filters over MQTT, with mqtt.js. */
export async function recordHubOverMqtt(emulator: Emulator): Promise<Conversation> {
  const { assignedHub, caPem, endpoints } = emulator;
  const token = await sign(p.hubDeviceResource(assignedHub, registrationId), key);
  return recordConversation({ url: endpoints.hub, ca: caPem }, async ({ host, ca }) => {
    const client = await connectAsync(`mqtts://${host}`, {
      ca,
      clientId: registrationId,
      username: p.encodeHubUserName({ hubHost: assignedHub, deviceId: registrationId }),
      password: token.revealText(),
      protocolVersion: 4,
      reconnectPeriod: 0,
    });
    await client.subscribeAsync(Object.values(p.hubFilters));
    const telemetry = p.encodeDeviceToHubTopic({ kind: 'telemetry', deviceId: registrationId });
    await client.publishAsync(telemetry, '{"t":21}', { qos: 1 });
    await client.publishAsync(p.encodeDeviceToHubTopic({ kind: 'get-twin', requestId: '1' }), '');
    await client.publishAsync(
      p.encodeDeviceToHubTopic({ kind: 'patch-reported', requestId: '2' }),
      '{"a":{"b":1}}',
    );
    await client.publishAsync(
      p.encodeDeviceToHubTopic({ kind: 'method-response', requestId: '3', status: 200 }),
      '{}',
    );
    await client.endAsync();
  });
}

/** Telemetry over AMQP, with bare rhea. */
export async function recordHubOverAmqp(emulator: Emulator): Promise<Conversation> {
  const { assignedHub, caPem, endpoints } = emulator;
  const token = await sign(p.hubDeviceResource(assignedHub, registrationId), key);
  return recordConversation({ url: endpoints.hub, ca: caPem }, async ({ host, ca }) => {
    const { port } = new URL(`tcp://${host}`);
    const connection = rhea.create_container().connect({
      transport: 'tls',
      host: 'localhost',
      port: Number(port),
      ca,
      username: `${registrationId}@sas.${assignedHub}`,
      password: token.revealText(),
      reconnect: false,
    } as never);
    const sender = connection.open_sender(`/devices/${registrationId}/messages/events`);
    await new Promise<void>((resolve, reject) => {
      sender.once('sendable', () =>
        sender.send({ body: rhea.message.data_section(Buffer.from('{"t":21}')) as unknown }),
      );
      sender.once('accepted', () => resolve());
      connection.once('connection_error', () => reject(new Error('the hub refused the connection')));
      connection.once('disconnected', () => reject(new Error('the hub ended the connection')));
    });
    connection.on('disconnected', () => undefined);
    const ended = new Promise((resolve) => connection.once('connection_close', resolve));
    connection.close();
    await ended;
  });
}

/** What both sides write in registrations over AMQP and MQTT, and to a hub, each in one piece. */
export async function recordStreams(): Promise<StreamRecordings> {
  await using emulator = await startEmulator({ retryAfterSeconds: 0 });
  await enroll(emulator);
  const { amqp, mqtt } = emulator.endpoints;
  const whole = ({ client, server }: Conversation): readonly Uint8Array[] =>
    [client, server].map((pieces) => Uint8Array.from(Buffer.concat(pieces)));
  return {
    amqp: [
      ...whole(await recordRegistration(emulator, amqp, 'amqp')),
      ...whole(await recordHubOverAmqp(emulator)),
    ],
    mqtt: [
      ...whole(await recordRegistration(emulator, mqtt, 'mqtt')),
      ...whole(await recordHubOverMqtt(emulator)),
    ],
  };
}

/** One HTTP request as bytes. */
export function httpRequest(
  method: string,
  target: string,
  options: {
    readonly authorization?: string;
    readonly body?: string;
    readonly headers?: readonly string[];
  } = {},
): Uint8Array {
  const { authorization, body = '', headers = [] } = options;
  const lines = [
    `${method} ${target} HTTP/1.1`,
    'Host: localhost',
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
    'Content-Type: application/json; charset=utf-8',
    'Accept: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** Requests of the device API, its `/drs/` dialect and the service API. */
export async function httpSessions(emulator: Emulator): Promise<readonly RecordedSession[]> {
  const { idScope } = emulator;
  const connection = p.parseServiceConnectionString(emulator.serviceConnectionString.revealText());
  const owner = await sign(
    p.serviceResource(connection.hostName),
    connection.sharedAccessKey,
    connection.sharedAccessKeyName,
  );
  const device = await sign(p.registrationResource(idScope, registrationId), key, p.registrationKeyName);
  const asOwner = { authorization: owner.revealText() };
  const asDevice = { authorization: device.revealText() };
  const names = { idScope, registrationId };
  await using tpm = await createSoftwareTpm({ algorithm: 'ecc' });
  const [endorsementKey, storageRootKey] = [await tpm.getEndorsementKey(), await tpm.getStorageRootKey()];
  const tpmDevice = { registrationId: 'fuzzed-tpm' };
  await emulator.createTpmEnrollment({ ...tpmDevice, endorsementKey });
  return [
    [
      httpRequest('PUT', p.encodeRegisterTarget(names), {
        ...asDevice,
        body: bodies.register[0]?.replace('my-device-1', registrationId) ?? '',
      }),
      httpRequest('GET', p.encodeOperationStatusTarget({ ...names, operationId: '5.a.b' }), asDevice),
      httpRequest('POST', p.encodeStatusLookupTarget(names), asDevice),
    ],
    [
      httpRequest('PUT', p.encodeRegisterTarget({ idScope, ...tpmDevice }), {
        body: p.encodeRegisterBody({ ...tpmDevice, endorsementKey, storageRootKey }),
      }),
    ],
    [
      httpRequest('POST', p.encodeDrsRegisterTarget(tpmDevice), {
        body: p.encodeDrsRegisterBody({ ...tpmDevice, endorsementKey }),
      }),
      // Refused, because only the TPM knows the nonce; it is looked at, all the same.
      httpRequest('POST', p.encodeDrsTrustConfirmationTarget(tpmDevice), {
        body: bodies.drsConfirmations[0] ?? '',
      }),
      httpRequest('GET', p.encodeDrsOperationTarget({ ...tpmDevice, operationId: 'a' })),
    ],
    [
      httpRequest('PUT', p.encodeServiceTarget({ kind: 'put-enrollment', ...tpmDevice }), {
        ...asOwner,
        body: p.encodeIndividualEnrollment({ ...tpmDevice, attestation: { type: 'tpm', endorsementKey } }),
      }),
    ],
    ...bodies.enrollments.map((body, index) => {
      const target = { registrationId: enrollments[index]?.registrationId ?? '' };
      return [
        httpRequest('PUT', p.encodeServiceTarget({ kind: 'put-enrollment', ...target }), {
          ...asOwner,
          body,
        }),
        httpRequest('GET', p.encodeServiceTarget({ kind: 'get-enrollment', ...target }), asOwner),
        httpRequest('POST', p.encodeServiceTarget({ kind: 'get-attestation-mechanism', ...target }), asOwner),
      ];
    }),
    bodies.groups.map((body, index) =>
      httpRequest(
        'PUT',
        p.encodeEnrollmentGroupTarget({
          kind: 'put-enrollment-group',
          enrollmentGroupId: `group-${index + 1}`,
        }),
        { ...asOwner, body },
      ),
    ),
    [
      httpRequest('POST', p.encodeCollectionTarget({ kind: 'bulk-enrollments' }), {
        ...asOwner,
        body: bodies.enrollmentBulk[0] ?? '',
      }),
      httpRequest('POST', p.encodeCollectionTarget({ kind: 'query-enrollments' }), {
        ...asOwner,
        body: bodies.queries[0] ?? '',
      }),
      httpRequest('POST', p.encodeCollectionTarget({ kind: 'bulk-enrollment-groups' }), {
        ...asOwner,
        body: bodies.groupBulk[0] ?? '',
      }),
      httpRequest(
        'POST',
        p.encodeCollectionTarget({ kind: 'query-registrations', enrollmentGroupId: 'group-1' }),
        { ...asOwner, body: bodies.queries[0] ?? '' },
      ),
    ],
  ];
}

/** A request of a device to its hub over HTTPS. */
export async function hubHttpSessions(emulator: Emulator): Promise<readonly RecordedSession[]> {
  const token = await sign(p.hubDeviceResource(emulator.assignedHub, registrationId), key);
  const target = p.encodeHubEventTarget({ deviceId: registrationId });
  return [[httpRequest('POST', target, { authorization: token.revealText(), body: '{"t":21}' })]];
}

/** Requests to the admin API. */
export function adminSessions(token: string, host: string): readonly RecordedSession[] {
  const request = (method: string, target: string, body = ''): Uint8Array =>
    Buffer.from(
      Buffer.from(httpRequest(method, target, { authorization: `Bearer ${token}`, body }))
        .toString()
        .replace('Host: localhost', `Host: ${host}`),
    );
  const rule = JSON.stringify({
    name: 'slow',
    operation: 'register',
    count: 1,
    fault: { kind: 'drop', when: 'before-handling' },
  });
  return [
    ['/', '/metrics', '/api/overview', '/api/connection-strings', '/api/traces'].map((target) =>
      request('GET', target),
    ),
    [request('GET', '/api/enrollments?first=1'), request('GET', '/api/enrollment-groups')],
    [
      request('POST', '/api/faults', rule),
      request('GET', '/api/faults'),
      request('DELETE', '/api/faults/slow'),
    ],
  ];
}
