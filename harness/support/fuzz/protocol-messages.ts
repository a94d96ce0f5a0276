/** Decoders of `@endorse/protocol` that take what a library made of the bytes: HTTP answers, AMQP messages and errors. */
import { isEndorseError } from '@endorse/interface';
import * as p from '@endorse/protocol';
import { mutatedBytes, mutatedJson, mutatedText } from '@endorse/fuzzing';
import * as fc from 'fast-check';
import type { DecoderTarget } from './decoder.ts';
import { decoder, isPeersFault } from './decoder.ts';
import { binaries, bodies, texts } from './protocol-samples.ts';

const options = { attempted: 'register my-device', nowMs: 1_700_000_000_000 };

/** An answer of the service may be an error of the service, beside those of the peer. */
const isRefusal = (error: unknown): boolean =>
  isPeersFault(error) || (isEndorseError(error) && error.name === 'ServiceError');

const headerNames = [...Object.values(p.headerNames), '__proto__', 'constructor'];
const headers = fc
  .tuple(
    fc.constantFrom(p.jsonContentType, 'text/html', undefined),
    fc.dictionary(
      fc.constantFrom(...headerNames),
      fc.option(mutatedText([...texts.pauses, ...texts.contentTypes]), { nil: undefined }),
    ),
  )
  .map(([contentType, more]) => ({ [p.headerNames.contentType]: contentType, ...more }));
const statuses = fc.oneof(fc.constantFrom(200, 202, 204, 401, 404, 429), fc.integer({ min: 100, max: 599 }));
const allBodies = Object.values(bodies).flat();

function answers(recordings: readonly string[]): fc.Arbitrary<p.HttpResponse> {
  const body = fc
    .oneof(
      { weight: 3, arbitrary: mutatedJson(recordings) },
      { weight: 1, arbitrary: mutatedJson(allBodies) },
    )
    .map((text) => (typeof text === 'string' ? Uint8Array.from(Buffer.from(text)) : text));
  return fc.record({ status: statuses, headers, body });
}

function answer(
  name: string,
  recordings: readonly string[],
  decode: (response: p.HttpResponse, options: p.HttpResponseOptions) => unknown,
): DecoderTarget {
  const inputs = answers(recordings);
  return decoder(`protocol ${name}`, {
    inputs,
    decode: (response) => decode(response, options),
    refuses: isRefusal,
  });
}

const propertyNames = [...Object.values(p.amqpProperties), ...p.amqpRetryAfterNames, '__proto__'];
const propertyValues = fc.oneof(
  fc.constantFrom<unknown>(
    ...Object.values(p.amqpOperations),
    3,
    '3',
    true,
    'true',
    null,
    new Date(0),
    2n ** 64n,
  ),
  mutatedText([...texts.ids, ...texts.pauses]),
  fc.anything({ withBigInt: true }),
);
const properties = fc.dictionary(fc.constantFrom(...propertyNames), propertyValues);

/** What rhea makes of a message: the body may be missing, text or bytes. */
function messages(recordings: readonly string[]): fc.Arbitrary<p.AmqpMessage> {
  const operation = fc.constantFrom(...Object.values(p.amqpOperations));
  return fc
    .tuple(
      fc.option(operation, { nil: undefined }),
      properties,
      fc.option(mutatedJson(recordings), { nil: undefined }),
    )
    .map(([kind, more, body]) => ({
      applicationProperties: {
        ...(kind === undefined ? {} : { [p.amqpProperties.operationType]: kind }),
        ...more,
      },
      ...(body === undefined ? {} : { body }),
    }));
}

const conditions = [401, 404, 429, 503].map((status) => p.conditionOfStatus(status));

/** Every target that takes a whole message. */
export const protocolMessageDecoders: readonly DecoderTarget[] = [
  answer('checkSuccess', bodies.errors, p.checkSuccess),
  answer('decodeChallengeReply', bodies.challenges, p.decodeChallengeReply),
  answer('decodeRegistrationReply', bodies.operations, p.decodeRegistrationReply),
  answer('decodeStatusLookupReply', bodies.states, p.decodeStatusLookupReply),
  answer('decodeDrsConfirmationReply', bodies.drsProgressUrls, p.decodeDrsConfirmationReply),
  answer('decodeDrsProgressReply', bodies.drsProgress, p.decodeDrsProgressReply),
  answer(
    'decodeDrsRegisterReply',
    [...bodies.drsChallenges, ...bodies.drsOperations],
    p.decodeDrsRegisterReply,
  ),
  decoder('protocol toServiceError', {
    inputs: answers(bodies.errors),
    decode: (response) => p.toServiceError(response, options),
    check: (error, { status }) => {
      if (error.status !== status) throw new Error(`has status ${error.status}`);
      if (error.message.length > 1_000) throw new Error('has no bound');
    },
  }),
  decoder('protocol decodeRegistrationResponseMessage', {
    inputs: fc.record({
      topic: fc
        .tuple(mutatedText(texts.responseTopics), fc.constantFrom(...texts.responseTopics))
        .map(
          ([topic, sound]) =>
            orUndefined(() => p.parseRegistrationResponseTopic(topic)) ??
            sure(p.parseRegistrationResponseTopic(sound)),
        ),
      payload: answers(bodies.operations).map(({ body }) => body),
    }),
    decode: (message) => p.decodeRegistrationResponseMessage(message, options),
    refuses: isRefusal,
  }),
  decoder('protocol decodeDeviceMessage', {
    inputs: messages(bodies.register),
    decode: p.decodeDeviceMessage,
  }),
  decoder('protocol decodeOperationReply', {
    inputs: messages(bodies.operations),
    decode: (message) => p.decodeOperationReply(message, options),
    refuses: isRefusal,
  }),
  decoder('protocol readRetryAfter', {
    inputs: properties,
    decode: (values) => p.readRetryAfter(values, options.nowMs),
  }),
  decoder('protocol amqpErrorToServiceError', {
    inputs: fc.record(
      {
        condition: fc.oneof(fc.constantFrom(...conditions), mutatedText(conditions)),
        description: mutatedJson(bodies.errors).map((text) => Buffer.from(text).toString('utf8')),
        info: properties,
      },
      { requiredKeys: ['condition'] },
    ),
    decode: (error) => p.amqpErrorToServiceError(error, options),
    check: ({ status }) => {
      if (!Number.isInteger(status)) throw new Error(`has status ${fc.stringify(status)}`);
    },
  }),
  decoder('protocol saslOutcomeToServiceError', {
    inputs: fc.oneof(fc.constantFrom(...Object.values(p.saslOutcomeCodes)), fc.nat(255)),
    decode: (code) => p.saslOutcomeToServiceError(code, options.attempted),
  }),
  decoder('protocol verifySasSignature', {
    inputs: fc.tuple(mutatedText(texts.tokens), mutatedBytes(binaries.saslPlain)),
    decode: ([token, key]) => {
      const parsed = orUndefined(() => p.parseSasToken(token));
      return parsed === undefined ? false : p.verifySasSignature(parsed, key);
    },
  }),
];

function orUndefined<Value>(decode: () => Value): Value | undefined {
  try {
    return decode();
  } catch (error) {
    if (!isPeersFault(error)) throw error;
    return undefined;
  }
}

function sure<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('a recorded topic is not decoded');
  return value;
}
