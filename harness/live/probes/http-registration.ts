import { inStep } from '../facts.ts';
import type { Probe } from '../probe.ts';
import { describeAnswer, exchange } from '../wire/http.ts';
import { enrollKeyDevice, keyToken, resourceOf } from '../device.ts';
import { deviceTarget, followRegistration, putRegister } from './http-flow.ts';

/** A registration by a symmetric key over HTTPS, and what may be different about it. */
export const httpRegistrationProbes: readonly Probe[] = [
  {
    name: 'HTTPS: register by a symmetric key',
    assumes:
      'PUT is answered with 202, an operation id of three parts and Retry-After: 3; a poll meanwhile with 202 and a ' +
      'registrationState; the end with 200 and times of seven decimals.',
    observe: async (service) => {
      const device = await enrollKeyDevice(service);
      const token = await keyToken(device);
      const accepted = await putRegister(service, device, token);
      const { facts, figures } = await followRegistration(service, device, token, accepted);
      return { facts, figures };
    },
  },
  {
    name: 'HTTPS: register again while an operation runs',
    assumes:
      'At most one operation of a registration runs: the second PUT is told the operation id of the first.',
    observe: async (service) => {
      const device = await enrollKeyDevice(service);
      const token = await keyToken(device);
      const first = await putRegister(service, device, token);
      const second = await putRegister(service, device, token);
      const isSame = first.json?.['operationId'] === second.json?.['operationId'];
      return { facts: { status: String(second.status), 'operation id': isSame ? 'the same' : 'another' } };
    },
  },
  {
    name: 'HTTPS: register again once assigned',
    assumes: 'It is a new operation, and the substatus stays initialAssignment when the hub does.',
    observe: async (service) => {
      const device = await enrollKeyDevice(service);
      const token = await keyToken(device);
      const first = await putRegister(service, device, token);
      await followRegistration(service, device, token, first);
      const second = await putRegister(service, device, token);
      const { last } = await followRegistration(service, device, token, second);
      const isSame = first.json?.['operationId'] === second.json?.['operationId'];
      return {
        facts: {
          'operation id': isSame ? 'the same' : 'another',
          ...inStep('end', describeAnswer(last, device.names)),
        },
      };
    },
  },
  {
    name: 'HTTPS: look up the state',
    assumes: 'Before any registration it is 200 with the status unassigned.',
    observe: async (service) => {
      const device = await enrollKeyDevice(service);
      const answer = await exchange(service, {
        method: 'POST',
        target: deviceTarget(device, ''),
        authorization: await keyToken(device),
        body: { registrationId: device.registrationId },
      });
      return { facts: describeAnswer(answer, device.names) };
    },
  },
  {
    name: 'HTTPS: ways to write a token',
    assumes:
      'The resource counts decoded and without regard to case, the signature is over it as it stands; without the skn ' +
      'registration it is 401.',
    observe: async (service) => {
      const device = await enrollKeyDevice(service);
      const resource = resourceOf(device);
      const variations = {
        'lower-case escapes': { resource: encodeURIComponent(resource).replaceAll('%2F', '%2f') },
        'not encoded': { resource },
        'scope in lower case': { resource: encodeURIComponent(resource.toLowerCase()) },
        'without skn': { keyName: undefined },
        'another skn': { keyName: 'endorse' },
      };
      const facts: Record<string, string> = {};
      for (const [name, variation] of Object.entries(variations)) {
        const { status } = await putRegister(service, device, await keyToken(device, variation));
        facts[name] = String(status);
      }
      return { facts };
    },
  },
  {
    name: 'HTTPS: registration id in another case',
    assumes: 'Registration ids are taken without regard to case, in the path and in the token.',
    observe: async (service) => {
      const device = await enrollKeyDevice(service);
      const shouting = { ...device, registrationId: device.registrationId.toUpperCase() };
      return {
        facts: {
          'path and token': String((await putRegister(service, shouting, await keyToken(shouting))).status),
          'path alone': String((await putRegister(service, shouting, await keyToken(device))).status),
        },
      };
    },
  },
];
