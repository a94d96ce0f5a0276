/**
 * Every body decoder is total: it returns a value or throws RemoteProtocolError, leaves its
 * input alone, and what it returns can be encoded and decoded to the same value.
 * Inputs are noise, JSON of any shape, and real bodies (vectors/bodies.json) with damage.
 */
import { isEndorseError } from '@endorse/interface';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeAttestationMechanism,
  decodeBulkResult,
  decodeChallengeBody,
  decodeDrsConfirmation,
  decodeDrsOperation,
  decodeDrsProgress,
  decodeDrsProgressUrl,
  decodeDrsRegisterBody,
  decodeEnrollmentBulkOperation,
  decodeEnrollmentGroupPage,
  decodeEnrollmentPage,
  decodeGroupBulkOperation,
  decodeIndividualEnrollment,
  decodeOperationStatus,
  decodeQuery,
  decodeRegisterBody,
  decodeRegistrationPage,
  decodeRegistrationState,
  decodeServiceErrorBody,
  encodeChallengeBody,
  encodeIndividualEnrollment,
  encodeOperationStatus,
  encodeRegisterBody,
  encodeRegistrationState,
  formatTimestamp,
  parseTimestamp,
  toServiceError,
  resolveDrsProgressTarget,
  splitNonceBlob,
  tryDecodeChallengeBody,
  tryDecodeDrsChallenge,
} from '@endorse/protocol';
import { readVectors } from './vectors.ts';

const { provenance: _, ...bodies } = readVectors('bodies') as Readonly<Record<string, string>>;

const decoders: Readonly<Record<string, (input: string | Uint8Array) => unknown>> = {
  decodeAttestationMechanism,
  decodeBulkResult: (input) => decodeBulkResult('enrollments', input),
  decodeChallengeBody,
  decodeDrsConfirmation,
  decodeDrsOperation,
  decodeDrsProgress,
  decodeDrsProgressUrl,
  decodeDrsRegisterBody,
  decodeEnrollmentBulkOperation: (input) =>
    decodeEnrollmentBulkOperation(input).items.map((item) => item.read()),
  decodeEnrollmentGroupPage,
  decodeEnrollmentPage,
  decodeGroupBulkOperation: (input) => decodeGroupBulkOperation(input).items.map((item) => item.read()),
  decodeIndividualEnrollment,
  decodeOperationStatus,
  decodeQuery,
  decodeRegisterBody,
  decodeRegistrationPage,
  decodeRegistrationState,
  decodeServiceErrorBody,
  tryDecodeChallengeBody,
  tryDecodeDrsChallenge,
};

const fieldNames = [
  'operationId',
  'mode',
  'enrollments',
  'errors',
  'query',
  'status',
  'registrationState',
  'registrationId',
  'deviceId',
  'assignedHub',
  'substatus',
  'tpm',
  'x509',
  'endorsementKey',
  'storageRootKey',
  'authenticationKey',
  'keyName',
  'message',
  'errorCode',
  'info',
  'attestation',
  'type',
  'symmetricKey',
  'primaryKey',
  'secondaryKey',
  'clientCertificates',
  'primary',
  'caReferences',
  'capabilities',
  'iotEdge',
  'iotHubs',
  'reprovisionPolicy',
  'customAllocationDefinition',
  'etag',
  'payload',
  'correlationId',
  'nonce',
  'progressUrl',
  'IotHubUrl',
  'properties',
  '__proto__',
  'constructor',
  'toString',
];
const leaves = fc.oneof(
  fc.constantFrom('assigned', 'assigning', 'failed', 'tpm', 'symmetricKey', 'x509', 'AAAA', '', null, true),
  fc.string(),
  fc.double(),
);
const shaped = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, leaves, fc.array(tie('value'), { maxLength: 3 }), tie('object')),
  object: fc.dictionary(fc.oneof(fc.constantFrom(...fieldNames), fc.string({ maxLength: 5 })), tie('value'), {
    maxKeys: 8,
  }),
})).object;
const damaged = fc
  .tuple(fc.constantFrom(...Object.values(bodies)), fc.nat(), fc.nat(4), fc.string({ maxLength: 3 }))
  .map(([body, at, cut, insert]) => {
    const position = at % (body.length + 1);
    return body.slice(0, position) + insert + body.slice(position + cut);
  });
const inputs = fc.oneof(
  damaged,
  shaped.map((value) => JSON.stringify(value)),
  fc.json(),
  fc.string({ unit: 'binary' }),
  fc.uint8Array(),
);

describe.each(Object.entries(decoders))('%s', (_name, decode) => {
  test('returns a value or throws RemoteProtocolError, whatever arrives, and leaves it alone', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const before = typeof input === 'string' ? input : Uint8Array.from(input);
        try {
          decode(input);
        } catch (error) {
          if (!isEndorseError(error) || error.name !== 'RemoteProtocolError') throw error;
        }
        expect(input).toEqual(before);
      }),
      { numRuns: 400 },
    );
  });
});

test('a progress URL leads to a target of the same origin or is refused, whatever it is', () => {
  const origin = 'https://dps.example.test:8443';
  const urls = fc.oneof(
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
    fc
      .tuple(fc.constantFrom('', '/', '//', '/\\', origin, `${origin}@`, `${origin}.`), fc.string())
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(urls, (progressUrl) => {
      let target: string;
      try {
        target = resolveDrsProgressTarget(progressUrl, { origin });
      } catch (error) {
        if (isEndorseError(error) && error.name === 'RemoteProtocolError') return;
        throw error;
      }
      const url = new URL(`${origin}${target}`);
      expect(url.origin).toBe(origin);
      expect(url.searchParams.getAll('api-version')).not.toHaveLength(0);
    }),
    { numRuns: 400 },
  );
});

test('a nonce blob is split or refused with RemoteProtocolError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (blob) => {
      try {
        splitNonceBlob(blob);
      } catch (error) {
        if (!isEndorseError(error) || error.name !== 'RemoteProtocolError') throw error;
      }
    }),
  );
});

test('an error answer always becomes a ServiceError', () => {
  fc.assert(
    fc.property(
      inputs,
      fc.integer({ min: 400, max: 599 }),
      fc.dictionary(fc.string(), fc.string()),
      (body, status, headers) => {
        const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
        expect(toServiceError({ status, headers, body: bytes }, { attempted: 'x', nowMs: 0 }).status).toBe(
          status,
        );
      },
    ),
  );
});

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
