/** The official HTTP transport, unmodified, behind our contract: real requests on the loopback. */
import type { AzureDeviceRegistrationResult } from '@endorse/azure-compat';
import { AzureTpmRegistration, fromAzureTransport } from '@endorse/azure-compat';
import { VirtualClock } from '@endorse/interface/virtual-clock';
import { parseSasToken, verifySasSignature } from '@endorse/protocol';
import { register } from '@endorse/registration-core';
import { Http } from 'azure-iot-provisioning-device-http';
import { describe, expect, it, vi } from 'vitest';
import {
  createCallbackClient,
  registrationId,
  sessionKey,
  symmetricKey,
  target,
} from './support/callback-parts.ts';
import { createFakeTpm } from './support/fake-tpm.ts';
import type { Answer, OfficialHttpBase } from './support/loopback-service.ts';
import { createBase, startLoopbackService } from './support/loopback-service.ts';

const operationId = '5.316aac5bdc130deb.11111111-2222-4333-8444-555555555555';

const challenge: Answer = {
  status: 401,
  body: {
    message: 'Authorization required',
    keyName: 'registration',
    authenticationKey: sessionKey.toString('base64'),
  },
};
const assigning: Answer = {
  status: 202,
  body: { operationId, status: 'assigning' },
  headers: { 'retry-after': '0' },
};
const assigned: Answer = {
  status: 200,
  body: {
    operationId,
    status: 'assigned',
    registrationState: {
      registrationId,
      assignedHub: 'hub.example.test',
      deviceId: registrationId,
      status: 'assigned',
      substatus: 'initialAssignment',
      tpm: { authenticationKey: symmetricKey.toString('base64') },
    },
  },
};
const fault = (status: number): Answer => ({ status, body: { errorCode: status * 1000, message: 'no' } });

function officialHttp(base: OfficialHttpBase): Http {
  return new Http(base as unknown as ConstructorParameters<typeof Http>[0]);
}

describe('register() over the official Http', () => {
  it('registers, with a token that verifies, and stores the hub key', async () => {
    await using service = await startLoopbackService([challenge, assigning, assigned]);
    const securityClient = createFakeTpm();
    const result = await register({
      ...target,
      transport: fromAzureTransport(() => officialHttp(service.base)),
      securityClient,
      payload: { site: 7 },
    });
    expect(result).toMatchObject({ assignedHub: 'hub.example.test', deviceId: registrationId, operationId });
    expect(securityClient.identityKeys.map((key) => Buffer.from(key))).toEqual([sessionKey, symmetricKey]);
    expect(service.seen.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`)).toEqual([
      `PUT /0ne00000001/registrations/${registrationId}/register`,
      `PUT /0ne00000001/registrations/${registrationId}/register`,
      `GET /0ne00000001/registrations/${registrationId}/operations/${operationId}`,
    ]);
    expect(service.seen[0]?.headers.authorization).toBeUndefined();
    const token = parseSasToken(service.seen[1]?.headers.authorization ?? '');
    expect(verifySasSignature(token, sessionKey)).toBe(true);
    expect(service.seen[1]?.body).toMatchObject({ registrationId, payload: { site: 7 } });
  });

  it('does not send the token of the first registration with the challenge of the second', async () => {
    await using service = await startLoopbackService([challenge, assigned, challenge, assigned]);
    const instance = officialHttp(service.base);
    const transport = fromAzureTransport(() => instance);
    const securityClient = createFakeTpm();
    await register({ ...target, transport, securityClient });
    await register({ ...target, transport, securityClient });
    expect(service.seen.map(({ headers }) => headers.authorization !== undefined)).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  it('repeats what the official transport gives up on: 429, 503 and a lost connection', async () => {
    await using service = await startLoopbackService([
      challenge,
      fault(429),
      fault(503),
      { ...assigning, cut: true },
      assigning,
      assigned,
    ]);
    const result = await register({
      ...target,
      transport: fromAzureTransport(() => officialHttp(service.base)),
      securityClient: createFakeTpm(),
      retry: { baseDelayMs: 1 },
    });
    expect(result.status).toBe('assigned');
    expect(service.seen).toHaveLength(6);
  });

  it.each([
    [400, 'ERR_SERVICE_BAD_REQUEST'],
    [401, 'ERR_SERVICE_UNAUTHORIZED'],
    [403, 'ERR_SERVICE_FORBIDDEN'],
    [404, 'ERR_SERVICE_NOT_FOUND'],
    [409, 'ERR_SERVICE_CONFLICT'],
    [501, 'ERR_SERVICE_UNAVAILABLE'],
  ])('%i is %s, with the error of the transport as its cause', async (status, code) => {
    await using service = await startLoopbackService([challenge, fault(status)]);
    const registering = register({
      ...target,
      transport: fromAzureTransport(() => officialHttp(service.base)),
      securityClient: createFakeTpm(),
      retry: { maxTokenRefusals: 0 },
    });
    const error: unknown = await registering.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code, status, fault: 'service' });
    expect((error as Error).cause).toBeInstanceOf(Error);
  });

  it('a refused connection is ERR_REMOTE_UNEXPECTED during the challenge, where the transport hides why', async () => {
    // The official transport replaces every error of the challenge but a 401 by one of its own.
    const registering = register({
      ...target,
      transport: fromAzureTransport(() => officialHttp(createBase(1))),
      securityClient: createFakeTpm(),
    });
    await expect(registering).rejects.toMatchObject({ code: 'ERR_REMOTE_UNEXPECTED' });
  });

  it('rejects with the reason of an abort, at once, and lets go of the transport', async () => {
    await using service = await startLoopbackService([{ ...challenge, never: true }, challenge, assigned]);
    const instance = officialHttp(service.base);
    const transport = fromAzureTransport(() => instance);
    const controller = new AbortController();
    const registering = register({
      ...target,
      transport,
      securityClient: createFakeTpm(),
      signal: controller.signal,
    });
    const rejected = expect(registering).rejects.toBe('enough');
    await vi.waitFor(() => expect(service.seen).toHaveLength(1));
    controller.abort('enough');
    await rejected;
    const again = await register({ ...target, transport, securityClient: createFakeTpm() });
    expect(again.status).toBe('assigned');
  });
});

describe('AzureTpmRegistration over the official Http', () => {
  it('resolves with the whole operation, as the official client does', async () => {
    await using service = await startLoopbackService([challenge, assigning, assigned]);
    const client = createCallbackClient();
    const registration = new AzureTpmRegistration(
      target.provisioningHost,
      target.idScope,
      officialHttp(service.base),
      client,
    );
    const result: AzureDeviceRegistrationResult = await registration.register();
    expect(result).toEqual(assigned.body);
    expect(client.identityKey()).toEqual(symmetricKey);
  });

  it("rejects with the transport's own error", async () => {
    await using service = await startLoopbackService([challenge, fault(404)]);
    const registration = new AzureTpmRegistration(
      target.provisioningHost,
      target.idScope,
      officialHttp(service.base),
      createCallbackClient(),
    );
    const error: unknown = await registration.register().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(error).toHaveProperty('response.statusCode', 404);
    expect(error).not.toHaveProperty('fault');
  });
});

it('an instance serves one session at a time, over however many adapters', async () => {
  const clock = new VirtualClock();
  const device = { ...target, registrationId };
  const http = new Http();
  const shared = fromAzureTransport(() => http, { clock });
  const session = shared.openSession(device, { kind: 'tpm' });
  for (const other of [shared, fromAzureTransport(() => http, { clock })]) {
    expect(() => other.openSession(device, { kind: 'tpm' })).toThrow(
      expect.objectContaining({ code: 'ERR_LOCAL_STATE', state: 'busy' }),
    );
  }
  await session.close();
  await shared.openSession(device, { kind: 'tpm' }).close();
  const separate = fromAzureTransport(() => new Http(), { clock });
  separate.openSession(device, { kind: 'tpm' });
  separate.openSession(device, { kind: 'tpm' });
});
