import { inStep } from '../facts.ts';
import type { Probe } from '../probe.ts';
import { describeAnswer } from '../wire/http.ts';
import { followRegistration, putRegister } from './http-flow.ts';
import {
  answerChallenge,
  blobOf,
  enrollTpmProbeDevice,
  makeTpmProbeDevice,
  openBlob,
  tpmBody,
} from './tpm-device.ts';

/** TPM attestation over HTTPS. */
export const httpTpmProbes: readonly Probe[] = [
  {
    name: 'HTTPS: register with a TPM',
    assumes:
      'The challenge is a 401 with message, authenticationKey, a null unencryptedAuthenticationKey and the keyName ' +
      'registration; both blobs hold a key of 32 bytes, and the last part of a blob names the registration.',
    observe: async (service) => {
      const device = await enrollTpmProbeDevice(service);
      const challenge = await putRegister(service, device, undefined, device.body);
      const token = await answerChallenge(device, blobOf(challenge));
      const accepted = await putRegister(service, device, token, device.body);
      const { facts, figures, last } = await followRegistration(service, device, token, accepted);
      return {
        facts: {
          ...inStep('challenge', describeAnswer(challenge, device.names)),
          ...inStep('challenge', openBlob(device, blobOf(challenge)).facts),
          ...facts,
          ...inStep('end', openBlob(device, blobOf(last)).facts),
        },
        figures: {
          ...figures,
          'challenge blob': `${blobOf(challenge).byteLength} bytes`,
          'hub blob': `${blobOf(last).byteLength} bytes`,
        },
      };
    },
  },
  {
    name: 'HTTPS: answer the first of two challenges',
    assumes: 'A challenge voids the one before: 401 with 401002, and no new challenge.',
    observe: async (service) => {
      const device = await enrollTpmProbeDevice(service);
      const first = await putRegister(service, device, undefined, device.body);
      await putRegister(service, device, undefined, device.body);
      const token = await answerChallenge(device, blobOf(first));
      return {
        facts: describeAnswer(await putRegister(service, device, token, device.body), device.names),
      };
    },
  },
  {
    name: 'HTTPS: answer a challenge without repeating the keys',
    assumes: 'The challenge belongs to the registration id, so the second body needs no tpm: 202.',
    observe: async (service) => {
      const device = await enrollTpmProbeDevice(service);
      const challenge = await putRegister(service, device, undefined, device.body);
      const token = await answerChallenge(device, blobOf(challenge));
      return { facts: describeAnswer(await putRegister(service, device, token), device.names) };
    },
  },
  {
    name: 'HTTPS: answer a challenge with another endorsement key',
    assumes: 'A second body that repeats another key than the challenge was for is 400 with 400004.',
    observe: async (service) => {
      const device = await enrollTpmProbeDevice(service);
      const { keys: otherKeys } = await makeTpmProbeDevice(service);
      const challenge = await putRegister(service, device, undefined, device.body);
      const token = await answerChallenge(device, blobOf(challenge));
      const body = { registrationId: device.registrationId, tpm: tpmBody(otherKeys) };
      return { facts: describeAnswer(await putRegister(service, device, token, body), device.names) };
    },
  },
  {
    name: 'HTTPS: challenge for a TPM that nobody enrolled',
    assumes: '404 with 404201, before any key is looked at.',
    observe: async (service) => {
      const device = await makeTpmProbeDevice(service);
      return {
        facts: describeAnswer(await putRegister(service, device, undefined, device.body), device.names),
      };
    },
  },
  {
    name: 'HTTPS: challenge for another endorsement key',
    assumes: '400 with 400004.',
    observe: async (service) => {
      const device = await enrollTpmProbeDevice(service);
      const { keys } = await makeTpmProbeDevice(service);
      const body = { registrationId: device.registrationId, tpm: tpmBody(keys) };
      return { facts: describeAnswer(await putRegister(service, device, undefined, body), device.names) };
    },
  },
  {
    name: 'HTTPS: challenge without a storage root key',
    assumes: 'Where neither the request nor the enrollment has one, 400 with 400004.',
    observe: async (service) => {
      const device = await enrollTpmProbeDevice(service);
      const { endorsementKey } = tpmBody(device.keys);
      const body = { registrationId: device.registrationId, tpm: { endorsementKey } };
      return { facts: describeAnswer(await putRegister(service, device, undefined, body), device.names) };
    },
  },
];
