/** What the decoders of `@endorse/protocol` are meant for: answers of the real service, and what our encoders write. */
import { readFileSync } from 'node:fs';
import { Secret } from '@endorse/interface';
import type { EnrollmentGroup, IndividualEnrollment } from '@endorse/protocol';
import * as protocol from '@endorse/protocol';

/** Reads vectors of a package's tests; each says where its figures come from. */
export function readVectors(packageName: string, name: string): unknown {
  const file = new URL(`../../../packages/${packageName}/test/vectors/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8'));
}

const key = new Uint8Array(64).map((_, index) => index);
const secret = Secret.fromBytes(key);
const endorsementKey = new Uint8Array(316).fill(0x0e);
const storageRootKey = new Uint8Array(284).fill(0x05);
const ids = { idScope: '0ne00000001', registrationId: 'my-device-1' };
const operationId = '5.316aac5bdc130deb.b1e02da8-1a43-4d1e-9b3c-2f5b6a7c8d9e';
const etag = '"13003fea-0000-0300-0000-62d1d5e50000"';
const twin = { tags: { site: 'a' }, properties: { desired: { intervalSeconds: 5 } } };

const settings = {
  provisioningStatus: 'enabled',
  iotHubs: ['a.azure-devices.net', 'b.azure-devices.net'],
  allocationPolicy: 'custom',
  customAllocationDefinition: { webhookUrl: 'https://hook.example.test/a', apiVersion: '2019-03-31' },
  reprovisionPolicy: { updateHubAssignment: true, migrateDeviceData: true },
  capabilities: { iotEdge: true },
  initialTwin: twin,
  etag,
} as const;

/** One enrollment for each attestation. */
export const enrollments: readonly IndividualEnrollment[] = [
  { ...settings, registrationId: 'tpm-device', attestation: { type: 'tpm', endorsementKey, storageRootKey } },
  {
    registrationId: 'key-device',
    deviceId: 'name-of-the-device',
    attestation: { type: 'symmetricKey', primaryKey: secret, secondaryKey: secret },
    optionalDeviceInformation: { floor: 3 },
  },
  {
    registrationId: 'x509-device',
    attestation: { type: 'x509', caReferences: { primary: 'ca-1', secondary: 'ca-2' } },
  },
];

const groups: readonly EnrollmentGroup[] = [
  {
    ...settings,
    enrollmentGroupId: 'group-1',
    attestation: { type: 'symmetricKey', primaryKey: secret, secondaryKey: secret },
  },
  {
    enrollmentGroupId: 'group-2',
    attestation: { type: 'x509', signingCertificates: { primary: { certificate: 'MIIB' } } },
  },
];

const { provenance: _, ...answers } = readVectors('protocol', 'bodies') as Readonly<Record<string, string>>;
const answersWith = (member: string): readonly string[] =>
  Object.values(answers).filter((text) => text.includes(`"${member}"`));

const properties = {
  desired: { properties: { a: [1, { b: null }] }, version: 2 },
  reported: { properties: {}, version: 1 },
};
const states = answersWith('registrationState').map((text) =>
  JSON.stringify((JSON.parse(text) as { readonly registrationState: object }).registrationState),
);
const enrollmentTexts = enrollments.map(protocol.encodeIndividualEnrollment);
const groupTexts = groups.map(protocol.encodeEnrollmentGroup);

/** JSON bodies by what they are. */
export const bodies = {
  operations: answersWith('operationId'),
  states,
  challenges: answersWith('authenticationKey'),
  errors: answersWith('errorCode'),
  register: [
    protocol.encodeRegisterBody({ registrationId: ids.registrationId }),
    protocol.encodeRegisterBody({ ...ids, endorsementKey, storageRootKey, payload: { model: [1, 'a'] } }),
  ],
  enrollments: enrollmentTexts,
  enrollmentPages: [protocol.encodePage(enrollments.map(protocol.individualEnrollmentToJson))],
  groups: groupTexts,
  groupPages: [protocol.encodePage(groups.map(protocol.enrollmentGroupToJson))],
  statePages: [`[${states.join(',')}]`],
  attestations: enrollments.map(({ attestation }) => protocol.encodeAttestationMechanism(attestation)),
  enrollmentBulk: [protocol.encodeEnrollmentBulkOperation('create', enrollments)],
  groupBulk: [protocol.encodeGroupBulkOperation('update', groups)],
  bulkResults: [
    protocol.encodeBulkResult('enrollments', {
      isSuccessful: false,
      errors: [{ id: 'key-device', errorCode: 409, errorStatus: 'it exists' }],
    }),
  ],
  queries: [protocol.encodeQuery("SELECT * FROM enrollments WHERE attestation.type = 'tpm'")],
  twins: [protocol.encodeTwinBody(properties)],
  desiredPatches: [protocol.encodeDesiredPatch({ properties: { a: 1, b: null }, version: 7 })],
  reportedPatches: [protocol.encodeReportedPatch({ a: 1, b: null, c: { d: [true] } })],
  methodPayloads: [protocol.encodeMethodPayload({ inSeconds: 3 })],
  drsRegister: [
    protocol.encodeDrsRegisterBody({
      registrationId: ids.registrationId,
      endorsementKey,
      properties: { a: 1 },
    }),
  ],
  drsChallenges: [protocol.encodeDrsChallenge({ correlationId: 'c-1', nonce: endorsementKey })],
  drsOperations: [
    protocol.encodeDrsOperation({ operationId, progressUrl: '/drs/registrations/a/operations/b' }),
  ],
  drsConfirmations: [protocol.encodeDrsConfirmation({ correlationId: 'c-1', nonce: Secret.fromBytes(key) })],
  drsProgress: [
    protocol.encodeDrsProgress({ status: 'assigning' }),
    protocol.encodeDrsProgress({
      status: 'assigned',
      iotHubUrl: 'a.azure-devices.net',
      deviceId: 'd',
      authenticationKey: endorsementKey,
    }),
    protocol.encodeDrsProgress({ status: 'failed', errorCode: 404_201, errorMessage: 'no such enrollment' }),
  ],
  drsProgressUrls: [
    protocol.encodeDrsProgressUrl('https://dps.example.test/drs/registrations/a/operations/b'),
  ],
} satisfies Readonly<Record<string, readonly string[]>>;

const tokens = readVectors('protocol', 'sas-tokens') as {
  readonly tokens: readonly { readonly token: string }[];
};

/** Texts by what they are: targets, topics, tokens, names. */
export const texts = {
  ids: ['my-device-1', ids.idScope, operationId, 'A-1_b.c:d'],
  timestamps: [protocol.formatTimestamp(1_700_000_000_123), '2020-02-29T23:59:60.1234567+14:00'],
  versions: [protocol.defaultApiVersion, protocol.defaultDrsApiVersion],
  hosts: ['localhost:8443', 'dps.example.test', '[::1]:443', '2001:db8::1', 'fe80::1%eth0'],
  pauses: [
    '3',
    '120',
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
  ],
  contentTypes: [protocol.jsonContentType, 'application/json', 'text/html; charset="utf-8"; a=b'],
  etags: [etag, `W/${etag}`, `${etag}, "b"`, '*', protocol.encodeRegistrationEtag(etag)],
  tokens: tokens.tokens.map(({ token }) => token),
  resources: [
    protocol.registrationResource(ids.idScope, ids.registrationId),
    protocol.hubDeviceResource('hub.example.test', 'my-device-1'),
    protocol.serviceResource('dps.example.test'),
  ],
  connectionStrings: [
    protocol
      .formatServiceConnectionString({
        hostName: 'dps.example.test',
        sharedAccessKeyName: 'provisioningserviceowner',
        sharedAccessKey: secret,
      })
      .revealText(),
  ],
  deviceTargets: [
    protocol.encodeRegisterTarget(ids),
    protocol.encodeStatusLookupTarget(ids),
    protocol.encodeOperationStatusTarget({ ...ids, operationId }),
  ],
  hubTargets: [protocol.encodeHubEventTarget({ deviceId: 'a#device' })],
  drsTargets: [
    protocol.encodeDrsRegisterTarget(ids),
    protocol.encodeDrsTrustConfirmationTarget(ids),
    protocol.encodeDrsOperationTarget({ ...ids, operationId }),
  ],
  progressUrls: [
    '/drs/registrations/a/operations/b',
    'https://dps.example.test:8443/a?api-version=2019-03-31',
    '//a/b',
  ],
  serviceTargets: (['get-enrollment', 'get-attestation-mechanism', 'delete-registration'] as const).map(
    (kind) => protocol.encodeServiceTarget({ kind, registrationId: ids.registrationId }),
  ),
  groupTargets: (['put-enrollment-group', 'get-group-attestation-mechanism'] as const).map((kind) =>
    protocol.encodeEnrollmentGroupTarget({ kind, enrollmentGroupId: 'group-1' }),
  ),
  collectionTargets: [
    protocol.encodeCollectionTarget({ kind: 'bulk-enrollments' }),
    protocol.encodeCollectionTarget({ kind: 'query-registrations', enrollmentGroupId: 'group-1' }),
  ],
  links: [protocol.encodeRegistrationLink(ids), 'amqps://dps.example.test/0ne00000001/registrations/a'],
  registrationTopics: [
    protocol.encodeRegisterTopic('1'),
    protocol.encodeOperationStatusTopic('2', operationId),
  ],
  responseTopics: [
    protocol.encodeRegistrationResponseTopic({ status: 202, requestId: '1', retryAfterMs: 3_000 }),
    protocol.encodeRegistrationResponseTopic({ status: 401, requestId: 'a-b' }),
  ],
  toHubTopics: [
    protocol.encodeDeviceToHubTopic({
      kind: 'telemetry',
      deviceId: 'my-device-1',
      system: { ct: 'application/json', ce: 'utf-8' },
      properties: { level: 'high', 'a b': '%' },
    }),
    'devices/d/modules/m/messages/events/a=b&c',
    protocol.encodeDeviceToHubTopic({ kind: 'get-twin', requestId: '1' }),
    protocol.encodeDeviceToHubTopic({ kind: 'patch-reported', requestId: '2' }),
    protocol.encodeDeviceToHubTopic({ kind: 'method-response', requestId: '3', status: 200 }),
  ],
  toDeviceTopics: [
    protocol.encodeHubToDeviceTopic({ kind: 'twin-response', requestId: '1', status: 204, version: 9 }),
    protocol.encodeHubToDeviceTopic({ kind: 'desired-properties', version: 2 }),
    protocol.encodeHubToDeviceTopic({ kind: 'method', requestId: '1', methodName: 'reboot now' }),
  ],
  userNames: [
    protocol.encodeRegistrationUserName({ ...ids, clientVersion: 'a/1.0 (x)' }),
    protocol.encodeHubUserName({ hubHost: 'localhost:8883', deviceId: 'my-device-1', clientType: 'b' }),
    'hub.example.test/d/m/?api-version=2021-04-12',
  ],
} satisfies Readonly<Record<string, readonly string[]>>;

const { idObject, encryptedSecret, duplicate } = {
  idObject: Uint8Array.of(0, 50, ...new Uint8Array(50)),
  encryptedSecret: Uint8Array.of(1, 0, ...new Uint8Array(256)),
  duplicate: Uint8Array.of(0, 142, ...new Uint8Array(142)),
};
const activationBlob = protocol.joinActivationBlob({
  idObject: idObject.subarray(2),
  encryptedSecret: encryptedSecret.subarray(2),
  duplicate: duplicate.subarray(2),
  encryptedSeed: new Uint8Array(256),
  publicArea: new Uint8Array(48),
  encryptedUri: new Uint8Array(16),
});

/** Bytes by what they are. */
export const binaries = {
  activationBlobs: [activationBlob],
  nonceBlobs: [
    protocol.joinCredentialNonceBlob({
      idObject: idObject.subarray(2),
      encryptedSecret: encryptedSecret.subarray(2),
    }),
  ],
  saslPlain: [protocol.encodeSaslPlain('0ne00000001/registrations/a', Secret.fromText('a token'))],
  saslTpmIdentities: [protocol.encodeSaslTpmIdentity({ ...ids, endorsementKey })],
  saslTpmStorageRootKeys: [protocol.encodeSaslTpmStorageRootKey(storageRootKey)],
  saslTpmTokens: [protocol.encodeSaslTpmToken('SharedAccessSignature sr=a&sig=b&se=1')],
  saslTpmSegments: protocol.encodeSaslTpmSegments(activationBlob),
} satisfies Readonly<Record<string, readonly Uint8Array[]>>;

/** What a device with a TPM says of itself. */
export const tpmIdentity = { ...ids, endorsementKey, storageRootKey };
