/** What transports of the official shape carry, and those that carry keys and certificates. */
import { fromAzureSymmetricKeySecurityClient, fromAzureTransport, originalOf } from '@endorse/azure-compat';
import type { X509SecurityClient } from '@endorse/interface';
import { Secret } from '@endorse/interface';
import { parseSasToken, verifySasSignature } from '@endorse/protocol';
import { register } from '@endorse/registration-core';
import { Amqp, AmqpWs } from 'azure-iot-provisioning-device-amqp';
import { Http } from 'azure-iot-provisioning-device-http';
import { Mqtt, MqttWs } from 'azure-iot-provisioning-device-mqtt';
import { SymmetricKeySecurityClient } from 'azure-iot-security-symmetric-key';
import { describe, expect, it, vi } from 'vitest';
import { registrationId, symmetricKey, target } from './support/callback-parts.ts';
import { createFakeTpm } from './support/fake-tpm.ts';
import type { Ending } from './support/official-shape.ts';
import {
  assignedJson,
  createMqttShape,
  createOfficialShape,
  methodsOf,
  named,
  operationId,
} from './support/official-shape.ts';

const assigning: Ending = { result: { operationId, status: 'assigning' }, pollingInterval: 0 };
const device = { ...target, registrationId };

describe('the manifest', () => {
  const everything = ['tpm', 'symmetric-key', 'x509'];
  it.each([
    ['http', Http, everything, 'request'],
    ['amqp', Amqp, everything, 'handshake'],
    ['amqp-ws', AmqpWs, everything, 'handshake'],
    ['mqtt', Mqtt, ['symmetric-key', 'x509'], 'none'],
    ['mqtt-ws', MqttWs, ['symmetric-key', 'x509'], 'none'],
  ])('says what the official transport over %s carries', (carrier, Official, attestations, challenge) => {
    const { capabilities } = fromAzureTransport(() => new Official());
    expect(capabilities).toEqual({
      carrier,
      attestations,
      challenge,
      proxy: false,
      refusals: attestations.includes('tpm')
        ? {}
        : { tpm: 'their transport has no method getAuthenticationChallenge' },
    });
  });

  it('of another transport goes by its methods and by what is told', () => {
    const create = (): ReturnType<typeof createOfficialShape> => createOfficialShape([]);
    expect(fromAzureTransport(create).capabilities).toMatchObject({
      carrier: 'azure',
      attestations: ['tpm'],
      challenge: 'handshake',
    });
    expect(
      fromAzureTransport(create, { carrier: 'pigeon', challenge: 'request' }).capabilities,
    ).toMatchObject({ carrier: 'pigeon', challenge: 'request' });
  });

  it('has register() refuse a TPM over MQTT before it touches anything', async () => {
    const theirs = createMqttShape([]);
    const transport = fromAzureTransport(() => theirs, { carrier: 'mqtt' });
    const registering = register({ ...target, transport, securityClient: createFakeTpm() });
    await expect(registering).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED_CAPABILITY', required: 'tpm' });
    expect(theirs.calls).toEqual([]);
  });
});

describe('a transport for keys and certificates', () => {
  const keyClient = fromAzureSymmetricKeySecurityClient(
    new SymmetricKeySecurityClient(registrationId, symmetricKey.toString('base64')),
  );
  const { signal } = new AbortController();

  it('is shown a token once, however long it polls', async () => {
    const theirs = createMqttShape([assigning, assigning, { result: assignedJson }]);
    await register({ ...target, transport: fromAzureTransport(() => theirs), securityClient: keyClient });
    expect(methodsOf(theirs.calls)).toEqual([
      'setSharedAccessSignature',
      'registrationRequest',
      'queryOperationStatus',
      'queryOperationStatus',
      'disconnect',
    ]);
    const token = parseSasToken(String(theirs.calls[0]?.args[0]));
    expect(verifySasSignature(token, symmetricKey)).toBe(true);
  });

  it('is shown a certificate when the session is opened, and no token', async () => {
    const theirs = createMqttShape([{ result: assignedJson }]);
    const securityClient: X509SecurityClient = {
      specificationVersion: 'v1',
      kind: 'x509',
      getRegistrationId: async () => registrationId,
      getCertificate: async () => ({ certificatePem: 'PEM', privateKeyPem: Secret.fromText('key') }),
    };
    await register({ ...target, transport: fromAzureTransport(() => theirs), securityClient });
    expect(methodsOf(theirs.calls)).toEqual(['setAuthentication', 'registrationRequest', 'disconnect']);
    expect(theirs.calls[0]?.args).toEqual([{ cert: 'PEM', key: 'key' }]);
  });

  it('whose session cannot be opened is free for the next', async () => {
    const theirs = createMqttShape([]);
    const fault = new Error('no such certificate');
    theirs.setAuthentication = () => {
      throw fault;
    };
    const transport = fromAzureTransport(() => theirs);
    const certificate = { certificatePem: 'PEM', privateKeyPem: Secret.fromText('key') };
    expect(() => transport.openSession(device, { kind: 'x509', certificate })).toThrow(fault);
    await transport.openSession(device, { kind: 'symmetric-key' }).close();
  });

  it('that was made to carry less than the first is refused', async () => {
    const made = [createOfficialShape([]), createMqttShape([])];
    const transport = fromAzureTransport(() => made.shift() ?? createMqttShape([]));
    expect(transport.capabilities.attestations).toEqual(['tpm']);
    await transport.openSession(device, { kind: 'tpm' }).close();
    expect(() => transport.openSession(device, { kind: 'tpm' })).toThrow(
      expect.objectContaining({ code: 'ERR_UNSUPPORTED_CAPABILITY', required: 'tpm' }),
    );
  });

  it('that has no challenge for a TPM says so', async () => {
    const session = fromAzureTransport(() => createMqttShape([])).openSession(device, {
      kind: 'symmetric-key',
    });
    const keys = { ...device, endorsementKey: new Uint8Array(), storageRootKey: new Uint8Array() };
    await expect(session.getAuthenticationChallenge(keys, { signal })).rejects.toMatchObject({
      code: 'ERR_LOCAL_STATE',
    });
    await session.close();
  });

  it('ends a request with what it emits, and is closed before it is asked again', async () => {
    const broken = createMqttShape([{ never: true }]);
    const next = createMqttShape([{ result: assignedJson }]);
    const made = [broken, next];
    const transport = fromAzureTransport(() => made.shift() ?? next);
    const registering = register({
      ...target,
      transport,
      securityClient: keyClient,
      retry: { baseDelayMs: 1 },
    });
    await vi.waitFor(() => expect(methodsOf(broken.calls)).toContain('registrationRequest'));
    broken.emit('error', named('NotConnectedError'));
    expect((await registering).status).toBe('assigned');
    expect(methodsOf(broken.calls).slice(-1)).toEqual(['disconnect']);
  });

  it('ends nobody with what it emits when no request is in flight, or after its session', async () => {
    const theirs = createMqttShape([{ result: assignedJson }]);
    const session = fromAzureTransport(() => theirs).openSession(device, { kind: 'symmetric-key' });
    theirs.emit('error', named('NotConnectedError'));
    const reply = await session.register({ registrationInfo: { registrationId } }, { signal });
    expect(reply.operation.status).toBe('assigned');
    await session.close();
    theirs.emit('error', named('NotConnectedError'));
    expect(theirs.listenerCount('error')).toBe(1);
  });

  it('that cancels by itself what is in flight has lost its connection', async () => {
    const error = named('OperationCancelledError');
    const session = fromAzureTransport(() => createMqttShape([{ error }])).openSession(device, {
      kind: 'symmetric-key',
    });
    const registering = session.register({ registrationInfo: { registrationId } }, { signal });
    await expect(registering).rejects.toMatchObject({ code: 'ERR_TRANSPORT_LOST', retryable: true });
    await session.close();
  });

  it('that calls back with what rhea rejected, which is no error, fails with the error of the service', async () => {
    const rejected = {
      condition: 'amqp:not-found',
      description: '{"errorCode":404205,"trackingId":"t","message":"no such device"}',
    };
    const session = fromAzureTransport(() => createMqttShape([{ error: rejected }])).openSession(device, {
      kind: 'symmetric-key',
    });
    const failure: unknown = await session
      .register({ registrationInfo: { registrationId } }, { signal })
      .catch((reason: unknown) => reason);
    expect(failure).toMatchObject({
      code: 'ERR_SERVICE_NOT_FOUND',
      serviceCode: 404_205,
      trackingId: 't',
      cause: rejected,
    });
    expect(originalOf(failure)).toBe(rejected);
    await session.close();
  });
});
