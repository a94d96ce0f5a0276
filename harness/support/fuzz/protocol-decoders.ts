/** Every decoder of `@endorse/protocol`. */
import { isEndorseError } from '@endorse/interface';
import * as p from '@endorse/protocol';
import { mutatedBytes, mutatedJson, mutatedText } from '@endorse/fuzzing';
import * as fc from 'fast-check';
import type { DecoderTarget } from './decoder.ts';
import { decoder, isPeersFault } from './decoder.ts';
import { protocolMessageDecoders } from './protocol-messages.ts';
import type { StreamRecordings } from './protocol-streams.ts';
import { protocolStreams } from './protocol-streams.ts';
import { binaries, bodies, texts } from './protocol-samples.ts';

/** What takes text or bytes of JSON. */
function json<Value>(
  name: string,
  recordings: readonly string[],
  decode: (input: string | Uint8Array) => Value,
  encode?: (value: NonNullable<Value>) => string,
): DecoderTarget {
  const inputs = mutatedJson(recordings);
  return decoder(`protocol ${name}`, { inputs, decode, ...(encode === undefined ? {} : { encode }) });
}

/** What takes bytes. */
function binary<Value>(
  name: string,
  recordings: readonly Uint8Array[],
  decode: (input: Uint8Array) => Value,
  encode?: (value: NonNullable<Value>) => Uint8Array,
): DecoderTarget {
  const inputs = mutatedBytes(recordings);
  return decoder(`protocol ${name}`, { inputs, decode, ...(encode === undefined ? {} : { encode }) });
}

/** What takes text. */
function text<Value>(
  name: string,
  recordings: readonly string[],
  decode: (input: string) => Value,
  more: {
    readonly encode?: (value: NonNullable<Value>) => string;
    readonly refuses?: (error: unknown) => boolean;
  } = {},
): DecoderTarget {
  return decoder(`protocol ${name}`, { inputs: mutatedText(recordings), decode, ...more });
}

/** What takes text that came as UTF-8, which has no half surrogate pairs. */
function topic<Value>(
  name: string,
  recordings: readonly string[],
  decode: (input: string) => Value,
  encode?: (value: NonNullable<Value>) => string,
): DecoderTarget {
  const inputs = mutatedText(recordings).map((each) => each.toWellFormed());
  return decoder(`protocol ${name}`, { inputs, decode, ...(encode === undefined ? {} : { encode }) });
}

/** What takes a method and a request target. */
function target<Value>(
  name: string,
  recordings: readonly string[],
  decode: (method: string, target: string) => Value,
  encode?: (value: NonNullable<Value>) => string,
): DecoderTarget {
  const methods = fc.oneof(fc.constantFrom('GET', 'PUT', 'POST', 'DELETE'), fc.string({ maxLength: 5 }));
  return decoder(`protocol ${name}`, {
    inputs: fc.tuple(methods, mutatedText(recordings)),
    decode: ([method, path]) => decode(method, path),
    check: (value, [method]) => {
      if (encode === undefined || value === undefined || value === null) return;
      const again = decode(method, encode(value));
      if (JSON.stringify(again) !== JSON.stringify(value))
        throw new Error(`becomes ${JSON.stringify(again)}`);
    },
  });
}

/** Problems are told, never thrown, whatever the value. */
function problemFinder(name: string, find: (value: unknown) => unknown): DecoderTarget {
  const inputs = fc.oneof(mutatedText(texts.ids), fc.anything({ withBigInt: true, withNullPrototype: true }));
  return decoder(`protocol ${name}`, { inputs, decode: find });
}

const isCallersFault = (error: unknown): boolean => isEndorseError(error) && error.fault === 'caller';

const jsonDecoders: readonly DecoderTarget[] = [
  json(
    'decodeAttestationMechanism',
    bodies.attestations,
    p.decodeAttestationMechanism,
    p.encodeAttestationMechanism,
  ),
  json(
    'decodeBulkResult',
    bodies.bulkResults,
    (input) => p.decodeBulkResult('enrollments', input),
    (result) => p.encodeBulkResult('enrollments', result),
  ),
  json('decodeChallengeBody', bodies.challenges, p.decodeChallengeBody),
  json('tryDecodeChallengeBody', [...bodies.challenges, ...bodies.errors], p.tryDecodeChallengeBody),
  json('decodeDesiredPatch', bodies.desiredPatches, p.decodeDesiredPatch, p.encodeDesiredPatch),
  json('decodeReportedPatch', bodies.reportedPatches, p.decodeReportedPatch, p.encodeReportedPatch),
  json('decodeTwinBody', bodies.twins, p.decodeTwinBody, p.encodeTwinBody),
  json('decodeMethodPayload', bodies.methodPayloads, p.decodeMethodPayload),
  json('decodeDrsConfirmation', bodies.drsConfirmations, p.decodeDrsConfirmation),
  json('decodeDrsOperation', bodies.drsOperations, p.decodeDrsOperation, p.encodeDrsOperation),
  json('decodeDrsProgress', bodies.drsProgress, p.decodeDrsProgress, p.encodeDrsProgress),
  json('decodeDrsProgressUrl', bodies.drsProgressUrls, p.decodeDrsProgressUrl, p.encodeDrsProgressUrl),
  json('decodeDrsRegisterBody', bodies.drsRegister, p.decodeDrsRegisterBody, p.encodeDrsRegisterBody),
  json(
    'tryDecodeDrsChallenge',
    [...bodies.drsChallenges, ...bodies.errors],
    p.tryDecodeDrsChallenge,
    p.encodeDrsChallenge,
  ),
  json('decodeEnrollmentBulkOperation', bodies.enrollmentBulk, readBulk(p.decodeEnrollmentBulkOperation)),
  json('decodeGroupBulkOperation', bodies.groupBulk, readBulk(p.decodeGroupBulkOperation)),
  json('decodeEnrollmentGroup', bodies.groups, p.decodeEnrollmentGroup, p.encodeEnrollmentGroup),
  json('decodeEnrollmentGroupPage', bodies.groupPages, p.decodeEnrollmentGroupPage),
  json('decodeEnrollmentPage', bodies.enrollmentPages, p.decodeEnrollmentPage),
  json(
    'decodeIndividualEnrollment',
    bodies.enrollments,
    p.decodeIndividualEnrollment,
    p.encodeIndividualEnrollment,
  ),
  json('decodeOperationStatus', bodies.operations, p.decodeOperationStatus, p.encodeOperationStatus),
  json('decodeQuery', bodies.queries, p.decodeQuery, p.encodeQuery),
  json('decodeRegisterBody', bodies.register, p.decodeRegisterBody),
  json('decodeRegistrationPage', bodies.statePages, p.decodeRegistrationPage),
  json('decodeRowPage', [...bodies.statePages, ...bodies.enrollmentPages], p.decodeRowPage, p.encodePage),
  json('decodeRegistrationState', bodies.states, p.decodeRegistrationState, p.encodeRegistrationState),
  json('decodeServiceErrorBody', bodies.errors, p.decodeServiceErrorBody),
];

const binaryDecoders: readonly DecoderTarget[] = [
  binary('splitActivationBlob', binaries.activationBlobs, p.splitActivationBlob, p.joinActivationBlob),
  binary('splitNonceBlob', binaries.nonceBlobs, p.splitNonceBlob),
  binary('decodeSaslPlain', binaries.saslPlain, p.decodeSaslPlain),
  binary('decodeSaslTpmIdentity', binaries.saslTpmIdentities, p.decodeSaslTpmIdentity),
  binary('decodeSaslTpmSegment', binaries.saslTpmSegments, p.decodeSaslTpmSegment),
  binary('decodeSaslTpmStorageRootKey', binaries.saslTpmStorageRootKeys, p.decodeSaslTpmStorageRootKey),
  binary('decodeSaslTpmToken', binaries.saslTpmTokens, p.decodeSaslTpmToken),
];

const nowMs = 1_700_000_000_000;
const origin = 'https://dps.example.test:8443';

const textDecoders: readonly DecoderTarget[] = [
  text('parseApiVersion', texts.versions, p.parseApiVersion, { encode: (version) => version.text }),
  text('parseTimestamp', texts.timestamps, p.parseTimestamp, { encode: p.formatTimestamp }),
  text('parseHostPort', texts.hosts, p.parseHostPort, { encode: p.formatHostPort, refuses: isCallersFault }),
  text('isIpv6Address', texts.hosts, p.isIpv6Address),
  text('parseHttpDate', texts.pauses, (date) => p.parseHttpDate(date, nowMs)),
  text('parseRetryAfter', texts.pauses, (pause) => p.parseRetryAfter(pause, nowMs)),
  text('isJsonContentType', texts.contentTypes, p.isJsonContentType),
  text('parseOperationId', texts.ids, p.parseOperationId),
  text('parseSasToken', texts.tokens, p.parseSasToken),
  text('parseServiceConnectionString', texts.connectionStrings, p.parseServiceConnectionString, {
    refuses: isCallersFault,
  }),
  text('parseRegistrationLink', texts.links, p.parseRegistrationLink),
  topic('parseRegistrationTopic', texts.registrationTopics, p.parseRegistrationTopic, (value) =>
    value.kind === 'register'
      ? p.encodeRegisterTopic(value.requestId)
      : p.encodeOperationStatusTopic(value.requestId, value.operationId),
  ),
  topic('parseRegistrationResponseTopic', texts.responseTopics, p.parseRegistrationResponseTopic),
  topic('parseDeviceToHubTopic', texts.toHubTopics, p.parseDeviceToHubTopic),
  topic('parseHubToDeviceTopic', texts.toDeviceTopics, p.parseHubToDeviceTopic, p.encodeHubToDeviceTopic),
  topic(
    'parseRegistrationUserName',
    texts.userNames,
    p.parseRegistrationUserName,
    p.encodeRegistrationUserName,
  ),
  topic('parseHubUserName', texts.userNames, p.parseHubUserName),
  decoder('protocol resolveDrsProgressTarget', {
    inputs: fc.oneof(
      mutatedText(texts.progressUrls),
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc
        .tuple(fc.constantFrom('', '/', '//', '/\\', origin, `${origin}@`, `${origin}.`), fc.string())
        .map((parts) => parts.join('')),
    ),
    decode: (progressUrl) => p.resolveDrsProgressTarget(progressUrl, { origin }),
    check: (path) => {
      const url = new URL(`${origin}${path}`);
      if (url.origin !== origin) throw new Error(`leads to ${url.origin}`);
      if (url.searchParams.getAll('api-version').length === 0) throw new Error('has no api-version');
    },
  }),
  decoder('protocol matchesEtag', {
    inputs: fc.tuple(mutatedText(texts.etags), fc.constantFrom(...texts.etags)),
    decode: ([ifMatch, etag]) => p.matchesEtag(ifMatch, etag),
  }),
  decoder('protocol sasResourceCovers', {
    inputs: fc.tuple(mutatedText(texts.resources), mutatedText(texts.resources)),
    decode: ([granted, requested]) => p.sasResourceCovers(granted, requested),
  }),
  target('parseDeviceTarget', texts.deviceTargets, p.parseDeviceTarget),
  target('parseHubTarget', texts.hubTargets, p.parseHubTarget, p.encodeHubEventTarget),
  target('parseDrsTarget', texts.drsTargets, p.parseDrsTarget),
  target('parseServiceTarget', texts.serviceTargets, p.parseServiceTarget, p.encodeServiceTarget),
  target(
    'parseEnrollmentGroupTarget',
    texts.groupTargets,
    p.parseEnrollmentGroupTarget,
    p.encodeEnrollmentGroupTarget,
  ),
  target('parseCollectionTarget', texts.collectionTargets, p.parseCollectionTarget, p.encodeCollectionTarget),
  problemFinder('findDeviceIdProblem', p.findDeviceIdProblem),
  problemFinder('findIdScopeProblem', p.findIdScopeProblem),
  problemFinder('findOperationIdProblem', p.findOperationIdProblem),
  problemFinder('findRegistrationIdProblem', p.findRegistrationIdProblem),
];

/** Every target of the package. */
export function protocolDecoders(recordings: StreamRecordings): readonly DecoderTarget[] {
  return [
    ...jsonDecoders,
    ...binaryDecoders,
    ...textDecoders,
    ...protocolMessageDecoders,
    ...protocolStreams(recordings),
  ];
}

/** Also reads the items, each of which is good or bad by itself. */
function readBulk<Item>(decode: (input: string | Uint8Array) => p.BulkOperation<Item>) {
  return (input: string | Uint8Array): unknown => {
    const { mode, items } = decode(input);
    return items.map((item) => {
      try {
        return { mode, id: item.id, item: item.read() };
      } catch (error) {
        if (!isPeersFault(error)) throw error;
        return { mode, id: item.id };
      }
    });
  };
}
