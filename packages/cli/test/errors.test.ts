import {
  InvalidArgumentError,
  RemoteProtocolError,
  ServiceError,
  TransportError,
  UnsupportedCapabilityError,
} from '@endorse/interface';
import { describe, expect, test } from 'vitest';
import { exitCodeOf } from '../src/command/exit-code.ts';
import { UsageError } from '../src/command/usage-error.ts';
import { createOutput } from '../src/output/output.ts';
import { printError } from '../src/output/print-error.ts';
import { jsonLines } from './support/run-in-process.ts';

function print(error: unknown): { readonly text: string; readonly event: Readonly<Record<string, unknown>> } {
  const lines: string[] = [];
  const json: string[] = [];
  const output = createOutput({
    stdout: { write: (text) => json.push(text) },
    stderr: { write: (text) => lines.push(text) },
    env: {},
    json: true,
    verbose: false,
  });
  printError(output, 'endorse register', error);
  return { text: lines.join(''), event: jsonLines(json.join(''))[0] ?? {} };
}

describe('an error is printed', () => {
  test('with its code, every cause in a line of its own, and the remedy', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
    const error = new TransportError('ERR_TRANSPORT_CONNECT', 'cannot connect to localhost:1', {
      phase: 'connect',
      retryable: true,
      cause: refused,
      remedy: 'Check the port.',
    });
    const { text, event } = print(error);
    expect(text).toBe(
      'endorse register: cannot connect to localhost:1 [ERR_TRANSPORT_CONNECT]\n' +
        '  because: connect ECONNREFUSED 127.0.0.1:1 [ECONNREFUSED]\n' +
        '  remedy:  Check the port.\n',
    );
    expect(event).toEqual({
      event: 'error',
      command: 'endorse register',
      code: 'ERR_TRANSPORT_CONNECT',
      message: 'cannot connect to localhost:1',
      retryable: true,
      remedy: 'Check the port.',
      causes: [{ code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 127.0.0.1:1' }],
    });
  });

  test('with the remedy of a cause when it has none itself', () => {
    const cause = new RemoteProtocolError('ERR_REMOTE_MALFORMED', 'no JSON', {
      remedy: 'Look at the proxy.',
    });
    expect(print(new UsageError('cannot', { cause })).text).toContain('remedy:  Look at the proxy.');
  });

  test('in lines that a peer cannot forge', () => {
    const { text } = print(
      new ServiceError('refused\nendorse register: all is well\u001b[2J', { status: 400 }),
    );
    expect(text.split('\n')).toHaveLength(2);
    expect(text).not.toContain('\u001b');
  });

  test('once, even when it is its own cause, or repeats it', () => {
    const loop = new UsageError('round and round');
    Object.defineProperty(loop, 'cause', { value: loop });
    expect(print(loop).text).toBe('endorse register: round and round [ERR_USAGE]\n');
    const repeated = new UsageError('the same', { cause: new UsageError('the same') });
    expect(print(repeated).event).toMatchObject({ causes: [] });
  });

  test('with the first of several addresses that failed', () => {
    const attempts = new AggregateError(
      [new Error('::1 refused'), new Error('127.0.0.1 refused')],
      'all failed',
    );
    expect(print(new UsageError('cannot connect', { cause: attempts })).event).toMatchObject({
      causes: [{ message: 'all failed' }, { message: '::1 refused' }],
    });
  });

  test('with its place when it is a defect of ours', () => {
    const { text, event } = print(new TypeError('x is not a function'));
    expect(text).toMatch(/remedy: {2}This is a defect/);
    expect(text).toContain('errors.test.ts');
    expect(event).toMatchObject({ code: 'ERR_UNEXPECTED' });
  });

  test('even when it is no error at all', () => {
    expect(print({ thrown: 'object' }).text).toContain("{ thrown: 'object' }");
    expect(print(undefined).text).toContain('endorse register: undefined');
  });
});

test.each([
  ['a usage error', new UsageError('x'), 2],
  ['an argument another package refuses', new InvalidArgumentError('x', 'is wrong'), 2],
  [
    'a capability that is not there',
    new UnsupportedCapabilityError('x', { required: 'a', available: [] }),
    2,
  ],
  ['a conflict', new ServiceError('x', { status: 409 }), 3],
  ['a stale etag', new ServiceError('x', { status: 412 }), 3],
  ['a refusal', new ServiceError('x', { status: 404 }), 1],
  ['a defect', new TypeError('x'), 1],
])('%s ends the program with its exit code', (_name, error, exitCode) => {
  expect(exitCodeOf(error)).toBe(exitCode);
});
