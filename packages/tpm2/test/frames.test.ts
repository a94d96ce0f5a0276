/**
 * Oracle: responses captured from swtpm (vectors/captured-responses.json), and every truncation, extension and
 * alteration of them: a decoder gives a value, ERR_TPM_MALFORMED or, for a well-formed refusal, TpmError.
 */
import type { CommandInfo, Commands, ResponseFrame } from '@endorse/tpm2';
import {
  TpmDecodeError,
  TpmError,
  commandName,
  commands,
  decodeResponse,
  encodeCommand,
  encodeCommandFrame,
  passwordAuthorization,
  peekResponseCode,
  rh,
} from '@endorse/tpm2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes } from './support/arbitraries.ts';
import { flipBit, hex } from './support/bytes.ts';
import captured from './vectors/captured-responses.json' with { type: 'json' };

interface AnyCommand extends CommandInfo {
  decodeResponse(handles: readonly number[], parameters: Uint8Array): unknown;
}

const corpus = captured.responses.map(({ command, sessions, response }, index) => ({
  title: `${index} ${command}`,
  command: commands[command as keyof Commands] as AnyCommand,
  sessions,
  response: hex(response),
}));

function decodeWhole(command: AnyCommand, response: Uint8Array, sessions: number): unknown {
  const frame: ResponseFrame = decodeResponse(command, response, sessions);
  return command.decodeResponse(frame.handles, frame.parameters);
}

/** A value, or one of the two errors that a decoder may throw. */
function outcome(
  command: AnyCommand,
  response: Uint8Array,
  sessions: number,
): 'value' | 'malformed' | 'refused' {
  try {
    decodeWhole(command, response, sessions);
    return 'value';
  } catch (error) {
    if (error instanceof TpmDecodeError) return 'malformed';
    if (error instanceof TpmError) return 'refused';
    throw error;
  }
}

const succeeded = corpus.filter(({ response }) => peekResponseCode(response) === 0);

describe('captured responses', () => {
  it.each(corpus)('$title decodes', ({ command, response, sessions }) => {
    const refused = peekResponseCode(response) !== 0;
    expect(outcome(command, response, sessions)).toBe(refused ? 'refused' : 'value');
  });

  it.each(corpus)('$title is refused when it is cut short anywhere', ({ command, response, sessions }) => {
    for (let length = 0; length < response.length; length += 1) {
      expect(outcome(command, response.subarray(0, length), sessions)).toBe('malformed');
      // Even when the size in the header is made to agree.
      if (length < 10) continue;
      const patched = response.slice(0, length);
      new DataView(patched.buffer).setUint32(2, length);
      expect(outcome(command, patched, sessions)).toBe('malformed');
    }
  });

  it.each(corpus)('$title is refused when bytes follow', ({ command, response, sessions }) => {
    for (const extra of [1, 2, 4, 100]) {
      const longer = new Uint8Array(response.length + extra);
      longer.set(response);
      expect(() => decodeResponse(command, longer, sessions)).toThrow(
        expect.objectContaining({ path: `${command.name} response.responseSize` }),
      );
      new DataView(longer.buffer).setUint32(2, longer.length);
      expect(outcome(command, longer, sessions)).toBe('malformed');
    }
  });

  it.each(corpus)(
    '$title gives a value or the right error after any bit flip',
    ({ command, response, sessions }) => {
      for (let bit = 0; bit < response.length * 8; bit += 1) {
        expect(['value', 'malformed', 'refused']).toContain(
          outcome(command, flipBit(response, bit), sessions),
        );
      }
    },
  );

  it.each(succeeded)(
    '$title is refused when it answers another number of sessions',
    ({ command, response, sessions }) => {
      for (const other of [0, 1, 2, 3].filter((count) => count !== sessions)) {
        expect(outcome(command, response, other)).toBe('malformed');
      }
    },
  );

  it.each(succeeded)('$title is refused under another tag', ({ command, response, sessions }) => {
    for (const tag of [0x8001, 0x8002, 0x8000, 0x00c4]) {
      const patched = response.slice();
      const view = new DataView(patched.buffer);
      if (view.getUint16(0) === tag) continue;
      view.setUint16(0, tag);
      expect(() => decodeResponse(command, patched, sessions)).toThrow(
        expect.objectContaining({ path: `${command.name} response.tag` }),
      );
    }
  });

  it('do not alias the bytes they came from', () => {
    const response = hex('800100000010000000000004aabbccdd');
    const { randomBytes } = decodeWhole(commands.GetRandom, Buffer.from(response), 0) as {
      randomBytes: Uint8Array;
    };
    expect(randomBytes).toEqual(hex('aabbccdd'));
    const buffer = Buffer.from(response);
    const frame = decodeResponse(commands.GetRandom, buffer, 0);
    const value = commands.GetRandom.decodeResponse(frame.handles, frame.parameters);
    buffer.fill(0);
    frame.parameters.fill(0);
    expect(value.randomBytes).toEqual(hex('aabbccdd'));
  });
});

describe('arbitrary bytes', () => {
  it('as a response of any command give a value or the right error', () => {
    const command = fc.constantFrom(...(Object.values(commands) as readonly AnyCommand[]));
    fc.assert(
      fc.property(command, bytes(0, 200), fc.integer({ min: 0, max: 3 }), (target, response, sessions) => {
        outcome(target, response, sessions);
      }),
      { numRuns: 1000 },
    );
  });

  it('as parameters of any command give a value or ERR_TPM_MALFORMED', () => {
    const command = fc.constantFrom(...(Object.values(commands) as readonly AnyCommand[]));
    fc.assert(
      fc.property(command, bytes(0, 300), (target, parameters) => {
        const handles = Array.from({ length: target.responseHandleCount }, () => 0x8000_0000);
        try {
          target.decodeResponse(handles, parameters);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_TPM_MALFORMED', path: expect.stringContaining('.') });
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('that announce billions of elements are refused before anything is allocated', () => {
    const parameters = hex('0000000006ffffffff');
    expect(() => commands.GetCapability.decodeResponse([], parameters)).toThrow(
      expect.objectContaining({
        code: 'ERR_TPM_MALFORMED',
        message: expect.stringContaining('announces 4294967295 elements'),
      }),
    );
  });
});

describe('error responses', () => {
  it('tell the command and the code', () => {
    const response = hex('80010000000a000001df');
    expect(() => decodeResponse(commands.ActivateCredential, response, 2)).toThrow(
      expect.objectContaining({ code: 'ERR_TPM_INTEGRITY', command: 'ActivateCredential', rc: 0x1df }),
    );
    expect(peekResponseCode(response)).toBe(0x1df);
    expect(peekResponseCode(response.subarray(0, 9))).toBeUndefined();
  });

  it('of a TPM 1.2 are recognised', () => {
    const response = hex('00c40000000a0000001e');
    expect(() => decodeResponse(commands.Startup, response, 0)).toThrow(
      expect.objectContaining({ code: 'ERR_TPM_BAD_TAG' }),
    );
    expect(() => decodeResponse(commands.Startup, hex('00c40000000a00000101'), 0)).toThrow(
      expect.objectContaining({ code: 'ERR_TPM_MALFORMED' }),
    );
  });
});

describe('decode errors', () => {
  it('say where and what, and keep evidence out of logs', () => {
    const error = ((): unknown => {
      try {
        return decodeResponse(commands.GetRandom, hex('800100000010'), 0);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toMatchObject({
      name: 'TpmDecodeError',
      code: 'ERR_TPM_MALFORMED',
      fault: 'peer',
      retryable: false,
      path: 'GetRandom response.responseSize',
      offset: 2,
      message: 'GetRandom response.responseSize is 16, but 6 bytes came',
      evidence: { path: 'GetRandom response.responseSize' },
    });
    expect(Object.keys(error as object)).not.toContain('evidence');
  });
});

describe('command frames', () => {
  it('need an authorization for every handle that asks for one, and at most three', () => {
    const request = { auth: rh.owner, objectHandle: 1, persistentHandle: 1 };
    expect(() => encodeCommand(commands.EvictControl, request)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', argument: 'authorizations' }),
    );
    const four = Array.from({ length: 4 }, () => passwordAuthorization());
    expect(() => encodeCommand(commands.EvictControl, request, four)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', argument: 'authorizations' }),
    );
  });

  it('keep handles unsigned and refuse others', () => {
    const frame = (handle: number): Uint8Array =>
      encodeCommandFrame({ commandCode: 0x173, handles: [handle], authorizations: [], parameters: hex('') });
    expect(frame(0xffff_ffff)).toEqual(hex('80010000000e00000173ffffffff'));
    for (const handle of [-1, 2 ** 32, 0.5]) {
      expect(() => frame(handle)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    }
  });

  it('grow beyond any first guess of their size', () => {
    const buffer = new Uint8Array(5000).fill(7);
    const frame = encodeCommand(commands.SequenceUpdate, { sequenceHandle: 1, buffer }, [
      passwordAuthorization(),
    ]);
    expect(frame).toHaveLength(10 + 4 + 4 + 9 + 2 + 5000);
    expect(frame.subarray(-5000)).toEqual(buffer);
  });
});

describe('commandName', () => {
  it('knows every command by its code, and no other', () => {
    for (const [name, command] of Object.entries<CommandInfo>({ ...commands })) {
      expect(commandName(command.code)).toBe(name);
      expect(command.name).toBe(name);
    }
    expect(commandName(0x181)).toBeUndefined();
  });
});

describe('requests without encoding', () => {
  it.each([
    [
      'a digest that is too long',
      () => commands.HierarchyChangeAuth.encodeParameters({ authHandle: 1, newAuth: new Uint8Array(65) }),
    ],
    [
      'a 65,536-byte buffer',
      () => commands.HMAC.encodeParameters({ handle: 1, buffer: new Uint8Array(65_536), hashAlg: null }),
    ],
    ['a 17-bit size', () => commands.GetRandom.encodeParameters({ bytesRequested: 65_536 })],
    [
      'an expiration beyond 32 bits',
      () => commands.PolicySecret.encodeParameters({ authHandle: 1, policySession: 1, expiration: 2 ** 31 }),
    ],
    [
      'a PCR above 255',
      () =>
        commands.Create.encodeParameters({
          parentHandle: 1,
          inPublic: {
            type: 'keyedHash',
            nameAlg: 'sha256',
            objectAttributes: 0,
            authPolicy: hex(''),
            scheme: null,
            unique: hex(''),
          },
          creationPcr: [{ hash: 'sha256', registers: [256] }],
        }),
    ],
    [
      'a sequence beyond 64 bits',
      () =>
        commands.ContextLoad.encodeParameters({
          context: { sequence: 2n ** 64n, savedHandle: 1, hierarchy: 1, contextBlob: hex('') },
        }),
    ],
  ])('are refused: %s', (_what, encode) => {
    expect(encode).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  });

  it.each([
    [
      'text for bytes',
      () => commands.HMAC.encodeParameters({ handle: 1, buffer: 'abc' as never, hashAlg: null }),
    ],
    [
      'an unknown hash',
      () => commands.HMAC.encodeParameters({ handle: 1, buffer: hex(''), hashAlg: 'md5' as never }),
    ],
    ['a number for a flag', () => commands.SelfTest.encodeParameters({ fullTest: 1 as never })],
    [
      'an unknown capability',
      () =>
        commands.GetCapability.encodeParameters({ capability: 'x' as never, property: 0, propertyCount: 1 }),
    ],
  ])('are refused: %s', (_what, encode) => {
    expect(encode).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
  });
});
