/**
 * What is encoded is decoded to the same value. What decoders make of anything else is the fuzz tests' question, in
 * `harness/suites/fuzz`.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeChallengeBody,
  decodeIndividualEnrollment,
  decodeOperationStatus,
  decodeRegisterBody,
  decodeRegistrationState,
  encodeChallengeBody,
  encodeIndividualEnrollment,
  encodeOperationStatus,
  encodeRegisterBody,
  encodeRegistrationState,
  formatTimestamp,
  parseTimestamp,
} from '@endorse/protocol';

const json = fc.jsonValue({ maxDepth: 3 }).filter((value) => value !== null);
const text = fc.string({ minLength: 1, maxLength: 60 });
const ids = fc.stringMatching(/^[A-Za-z0-9\-._:]{0,30}[A-Za-z0-9-]$/);
const keyBytes = fc.uint8Array({ minLength: 3, maxLength: 600 });
const optional = { requiredKeys: [] };

const states = fc.record(
  {
    registrationId: text,
    status: fc.constantFrom('unassigned', 'assigning', 'assigned', 'failed', 'disabled'),
    substatus: text,
    assignedHub: text,
    deviceId: text,
    createdDateTimeUtc: text,
    etag: text,
    errorCode: fc.maxSafeInteger(),
    errorMessage: text,
    payload: json,
    tpm: fc.record({ authenticationKey: keyBytes }),
    x509: fc.dictionary(text, json),
    extra: fc.dictionary(fc.stringMatching(/^z[a-z]{0,5}$/), json, { minKeys: 1 }),
  },
  optional,
);

test('a registration state comes back as it went', () => {
  fc.assert(
    fc.property(states, (state) => {
      const once = decodeRegistrationState(encodeRegistrationState(state as never));
      expect(decodeRegistrationState(encodeRegistrationState(once))).toEqual(once);
      expect(once.tpm).toEqual(state.tpm);
      expect(once.deviceId).toBe(state.deviceId);
    }),
  );
});

test('an operation status comes back as it went', () => {
  fc.assert(
    fc.property(
      ids,
      fc.constantFrom('assigning', 'assigned', 'failed'),
      states,
      (operationId, status, state) => {
        const operation = { operationId, status, registrationState: state } as never;
        const once = decodeOperationStatus(encodeOperationStatus(operation));
        expect(once).toMatchObject({ operationId, status });
        expect(decodeOperationStatus(encodeOperationStatus(once))).toEqual(once);
      },
    ),
  );
});

test('a register body and a challenge come back as they went', () => {
  fc.assert(
    fc.property(ids, keyBytes, keyBytes, json, (registrationId, endorsementKey, storageRootKey, payload) => {
      const info = { registrationId, endorsementKey, storageRootKey };
      const decoded = decodeRegisterBody(encodeRegisterBody({ ...info, payload: payload as never }));
      expect(decoded).toEqual({ ...info, payload: JSON.parse(JSON.stringify(payload)) as unknown });
      const challenge = encodeChallengeBody({ activationBlob: endorsementKey, keyName: 'k' });
      expect(decodeChallengeBody(challenge)).toMatchObject({ activationBlob: endorsementKey, keyName: 'k' });
    }),
  );
});

test('an enrollment comes back as it went', () => {
  const enrollments = fc.record(
    {
      registrationId: ids,
      deviceId: fc.stringMatching(/^[A-Za-z0-9]{1,20}$/),
      attestation: fc.oneof(
        fc.record({ type: fc.constant('tpm' as const), endorsementKey: keyBytes }),
        fc.constant({ type: 'symmetricKey' as const }),
        fc.record({ type: fc.constant('x509' as const), caReferences: fc.record({ primary: text }) }),
      ),
      provisioningStatus: fc.constantFrom('enabled' as const, 'disabled' as const),
      iotHubs: fc.array(text, { maxLength: 4 }),
      capabilities: fc.record({ iotEdge: fc.boolean() }),
    },
    { requiredKeys: ['registrationId', 'attestation'] },
  );
  fc.assert(
    fc.property(enrollments, (enrollment) => {
      expect(decodeIndividualEnrollment(encodeIndividualEnrollment(enrollment))).toEqual(enrollment);
    }),
  );
});

test('a timestamp comes back as it went', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (atMs) => {
      expect(parseTimestamp(formatTimestamp(atMs))).toBe(atMs);
    }),
  );
});
