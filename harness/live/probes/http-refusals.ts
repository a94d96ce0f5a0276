import type { JsonObject } from '@endorse/interface';
import type { Probe } from '../probe.ts';
import type { ProbeAnswer } from '../wire/http.ts';
import { describeAnswer, exchange } from '../wire/http.ts';
import type { ServiceUnderTest } from '../../support/service/service-under-test.ts';
import type { KeyDevice } from '../device.ts';
import { deviceApiVersion, enrollKeyDevice, hmacWith, keyToken, nameDevice, signToken } from '../device.ts';
import { deviceTarget, getOperation, putRegister } from './http-flow.ts';

/** A refusal of an enrolled device: what it does, and what the emulator answers. */
function refusal(
  name: string,
  assumes: string,
  attempt: (service: ServiceUnderTest, device: KeyDevice, token: string) => Promise<ProbeAnswer>,
): Probe {
  return {
    name: `HTTPS: ${name}`,
    assumes,
    observe: async (service) => {
      const device = await enrollKeyDevice(service);
      const answer = await attempt(service, device, await keyToken(device));
      return { facts: describeAnswer(answer, device.names) };
    },
  };
}

const otherKey = hmacWith(new Uint8Array(64));

/** What a device with a symmetric key is refused for over HTTPS, and in which words. */
export const httpRefusalProbes: readonly Probe[] = [
  refusal('token under another key', '401 with 401002.', async (service, device) =>
    putRegister(service, device, await signToken(device, otherKey)),
  ),
  refusal('expired token', '401 with 401002.', async (service, device) =>
    putRegister(service, device, await keyToken(device, { expiresAtSeconds: 1_600_000_000 })),
  ),
  refusal('no token', '401 with 401002, and no challenge: the enrollment is for no TPM.', (service, device) =>
    putRegister(service, device),
  ),
  {
    name: 'HTTPS: unknown registration id with a token',
    assumes: 'It is told from a wrong token: 404 with 404201.',
    observe: async (service) => {
      const device = nameDevice(service);
      const answer = await putRegister(service, device, await signToken(device, otherKey));
      return { facts: describeAnswer(answer, device.names) };
    },
  },
  refusal('unknown ID scope', '404 with 404000.', async (service, device) => {
    const elsewhere = { ...device, idScope: '0ne0000FFFF' };
    return putRegister(service, elsewhere, await keyToken(elsewhere));
  }),
  refusal('another registration id in the body', '400 with 400004.', (service, device, token) =>
    putRegister(service, device, token, { registrationId: `${device.registrationId}-x` }),
  ),
  refusal('unknown operation id', '404 with 404202.', (service, device, token) =>
    getOperation(service, device, token, '5.0123456789abcdef.00000000-0000-4000-8000-000000000000'),
  ),
  refusal(
    'operation id that is none',
    'It is one that there is not: 404 with 404202.',
    (service, device, token) => getOperation(service, device, token, 'operation'),
  ),
  refusal(
    'disabled enrollment',
    '200 with an empty operation id and the status disabled.',
    async (service, device, token) => {
      await service.enroll({
        registrationId: device.registrationId,
        attestation: { type: 'symmetricKey', primaryKey: device.key, secondaryKey: device.key },
        provisioningStatus: 'disabled',
      });
      return putRegister(service, device, token);
    },
  ),
  refusal('no api-version', '400 with 400000.', (service, device, authorization) =>
    exchange(service, {
      method: 'PUT',
      target: deviceTarget(device, '/register').split('?')[0] ?? '',
      authorization,
      body: { registrationId: device.registrationId },
    }),
  ),
  refusal('unknown api-version', 'Any date is taken: 202.', (service, device, authorization) =>
    exchange(service, {
      method: 'PUT',
      target: deviceTarget(device, '/register').replace(deviceApiVersion, '2016-01-01'),
      authorization,
      body: { registrationId: device.registrationId },
    }),
  ),
  refusal('a method that is not offered', '405 with 405000.', (service, device, authorization) =>
    exchange(service, { method: 'DELETE', target: deviceTarget(device, '/register'), authorization }),
  ),
  refusal('a body that is no JSON', '400 with 400004.', (service, device, authorization) =>
    exchange(service, {
      method: 'PUT',
      target: deviceTarget(device, '/register'),
      authorization,
      body: '{"registrationId":',
    }),
  ),
  refusal('a body of another type', '415 with 415000.', (service, device, authorization) =>
    exchange(service, {
      method: 'PUT',
      target: deviceTarget(device, '/register'),
      authorization,
      headers: { 'content-type': 'text/plain' },
      body: JSON.stringify({ registrationId: device.registrationId } satisfies JsonObject),
    }),
  ),
  refusal('a path there is not', '404 with 404000.', (service, device, authorization) =>
    exchange(service, { method: 'GET', target: deviceTarget(device, '/nothing'), authorization }),
  ),
];
