import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  EndorseError,
  InvalidArgumentError,
  LocalProtocolError,
  RemoteProtocolError,
  ServiceError,
  TimeoutError,
  TransportError,
  UnsupportedCapabilityError,
  isEndorseError,
  isRetryableStatus,
  serviceErrorCode,
} from '../src/index.ts';

const everyError = [
  new InvalidArgumentError('options.deadlineMs', 'must be positive', 'ERR_OUT_OF_RANGE'),
  new LocalProtocolError('ERR_SESSION_CLOSED', 'the session is closed', { state: 'closed' }),
  new RemoteProtocolError('ERR_REMOTE_MALFORMED', 'not JSON'),
  new ServiceError('throttled', { status: 429 }),
  new TransportError('ERR_TRANSPORT_DNS', 'no such host', { phase: 'resolve', retryable: true }),
  new UnsupportedCapabilityError('no TPM over MQTT', { required: 'tpm', available: ['x509'] }),
  new TimeoutError('too slow', { deadlineMs: 1000, state: 'polling' }),
];

describe('every error', () => {
  test.for(everyError)('$name says code, fault and whether to retry', (error) => {
    expect(error).toBeInstanceOf(Error);
    expect(error.code).toMatch(/^ERR_[A-Z_]+$/);
    expect(error.fault).toMatch(/^(caller|local|peer|service|transport|tpm|deadline)$/);
    expect(typeof error.retryable).toBe('boolean');
    expect(isEndorseError(error)).toBe(true);
    expect(error.name).toBe(error.constructor.name);
    expect(inspect(error)).toContain(error.code);
  });

  test('keeps its cause and remedy, and has no cause when none was given', () => {
    const cause = new Error('underneath');
    const error = new TransportError('ERR_TRANSPORT_TLS', 'not trusted', {
      phase: 'tls',
      retryable: false,
      cause,
      remedy: 'Pass the CA with --ca.',
    });
    expect(error.cause).toBe(cause);
    expect(error.remedy).toBe('Pass the CA with --ca.');
    expect('cause' in new TimeoutError('late', { deadlineMs: 1, state: 'x' })).toBe(false);
  });
});

describe('isEndorseError', () => {
  test('recognises an error of another copy of the package', () => {
    const foreign = Object.assign(new Error('x'), {
      code: 'ERR_TIMEOUT',
      fault: 'deadline',
      retryable: false,
    });
    expect(isEndorseError(foreign)).toBe(true);
  });

  test.for([
    new Error('plain'),
    Object.assign(new Error('of the system'), { code: 'ECONNRESET' }),
    { code: 'ERR_TIMEOUT', fault: 'deadline', retryable: false },
    undefined,
    'ERR_TIMEOUT',
  ])('refuses %o', (value) => {
    expect(isEndorseError(value)).toBe(false);
  });
});

describe('InvalidArgumentError', () => {
  test('is a TypeError that names the argument', () => {
    const error = new InvalidArgumentError('idScope', 'must not be empty');
    expect(error).toBeInstanceOf(TypeError);
    expect(error).not.toBeInstanceOf(EndorseError);
    expect(error).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      argument: 'idScope',
      message: 'idScope must not be empty',
      retryable: false,
    });
  });
});

describe('RemoteProtocolError', () => {
  test('keeps its evidence out of enumeration and JSON', () => {
    const evidence = { path: '$.status', sample: 'assignedd' };
    const error = new RemoteProtocolError('ERR_REMOTE_MALFORMED', 'unknown status', { evidence });
    expect(error.evidence).toEqual(evidence);
    expect(Object.keys(error)).not.toContain('evidence');
    expect(JSON.stringify(error)).not.toContain('assignedd');
  });

  test('is not retryable unless told', () => {
    expect(new RemoteProtocolError('ERR_REMOTE_MALFORMED', 'x').retryable).toBe(false);
    expect(new RemoteProtocolError('ERR_REMOTE_MALFORMED', 'x', { retryable: true }).retryable).toBe(true);
  });
});

describe('ServiceError', () => {
  test('carries what the service said', () => {
    const details = { status: 401, serviceCode: 401_002, trackingId: 'abc', retryAfterMs: 3000 };
    const error = new ServiceError('Unauthorized', details);
    expect(error).toMatchObject({ ...details, code: 'ERR_SERVICE_UNAUTHORIZED', retryable: false });
  });

  test.for([
    [400, 'ERR_SERVICE_BAD_REQUEST'],
    [401, 'ERR_SERVICE_UNAUTHORIZED'],
    [403, 'ERR_SERVICE_FORBIDDEN'],
    [404, 'ERR_SERVICE_NOT_FOUND'],
    [409, 'ERR_SERVICE_CONFLICT'],
    [412, 'ERR_SERVICE_PRECONDITION'],
    [418, 'ERR_SERVICE_OTHER'],
    [429, 'ERR_SERVICE_THROTTLED'],
    [500, 'ERR_SERVICE_UNAVAILABLE'],
    [503, 'ERR_SERVICE_UNAVAILABLE'],
  ] as const)('maps status %i to %s', ([status, code]) => {
    expect(serviceErrorCode(status)).toBe(code);
    expect(new ServiceError('x', { status }).code).toBe(code);
  });

  test('is retryable exactly for the statuses a later, identical request may survive', () => {
    const retryable = Array.from({ length: 600 }, (_, status) => status).filter(isRetryableStatus);
    expect(retryable).toEqual([408, 429, 500, 502, 503, 504]);
  });
});

test('UnsupportedCapabilityError freezes a copy of what there is', () => {
  const available = ['x509'];
  const error = new UnsupportedCapabilityError('no', { required: 'tpm', available });
  available.push('tpm');
  expect(error.available).toEqual(['x509']);
  expect(Object.isFrozen(error.available)).toBe(true);
});

test('TimeoutError says which deadline passed and where', () => {
  const error = new TimeoutError('late', { deadlineMs: 50, state: 'awaiting-challenge', retryable: true });
  expect(error).toMatchObject({
    code: 'ERR_TIMEOUT',
    deadlineMs: 50,
    state: 'awaiting-challenge',
    retryable: true,
  });
});
