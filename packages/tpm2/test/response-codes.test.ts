/**
 * Oracles: TPM_RC of tss.js 2.0.0 for numbers and names, and response codes observed on swtpm for their subjects.
 */
import { TpmError, decodeResponseCode, formatResponseCode, listResponseCodes } from '@endorse/tpm2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { u32 } from './support/arbitraries.ts';
import { tss } from './support/tss.ts';

/** Names of tss.js that are marks and limits of the numbering, not codes, or live in a software layer. */
const notCodes = /^(RC_|P$|S$|H$|_?[1-9A-F]$|N_MASK$|TSS_|TBS_)/;
/** Codes that came after the specification revision tss.js was made from (1.62). */
const newerThanTss = new Set([
  'READ_ONLY',
  'FW_LIMITED',
  'SVN_LIMITED',
  'PARMS',
  'EXT_MU',
  'ONE_SHOT_SIGNATURE',
  'SIGN_CONTEXT_KEY',
  'CHANNEL',
  'CHANNEL_KEY',
]);

const theirs = new Map(
  Object.entries(tss.TPM_RC).flatMap(([name, value]) =>
    typeof value === 'number' && !notCodes.test(name) ? [[name, value] as const] : [],
  ),
);

describe('the table', () => {
  it('has every code of tss.js under its name and number', () => {
    const ours = new Map(listResponseCodes().map(({ name, rc }) => [name as string, rc]));
    for (const [name, rc] of theirs) expect([name, ours.get(name)]).toEqual([name, rc]);
    expect(theirs.size).toBeGreaterThan(90);
  });

  it('has nothing else but newer codes', () => {
    const extra = listResponseCodes().filter(({ name }) => !theirs.has(name));
    expect(new Set(extra.map(({ name }) => name))).toEqual(newerThanTss);
  });

  it('names every code once, with a meaning and a remedy that are sentences of their own', () => {
    const listed = listResponseCodes();
    expect(new Set(listed.map(({ name }) => name)).size).toBe(listed.length);
    for (const { rc, name } of listed) {
      const decoded = decodeResponseCode(rc);
      expect(decoded.name).toBe(name);
      expect(decoded.meaning).toMatch(/^[a-z].*[^.]$/);
      expect(decoded.remedy).toMatch(/^[A-Z].*\.$/);
    }
  });
});

describe('decodeResponseCode', () => {
  it.each([
    [0x100, 'INITIALIZE', undefined],
    [0x101, 'FAILURE', undefined],
    [0x12f, 'AUTH_UNAVAILABLE', undefined],
    [0x142, 'COMMAND_SIZE', undefined],
    [0x14c, 'NV_DEFINED', undefined],
    [0x18b, 'HANDLE', { kind: 'handle', number: 1 }],
    [0x28b, 'HANDLE', { kind: 'handle', number: 2 }],
    [0x1cb, 'HANDLE', { kind: 'parameter', number: 1 }],
    [0x1d5, 'SIZE', { kind: 'parameter', number: 1 }],
    [0x2da, 'INSUFFICIENT', { kind: 'parameter', number: 2 }],
    [0x1df, 'INTEGRITY', { kind: 'parameter', number: 1 }],
    [0x3df, 'INTEGRITY', { kind: 'parameter', number: 3 }],
    [0xa9d, 'POLICY_FAIL', { kind: 'session', number: 2 }],
    [0x98e, 'AUTH_FAIL', { kind: 'session', number: 1 }],
    [0x9a2, 'BAD_AUTH', { kind: 'session', number: 1 }],
    [0x982, 'ATTRIBUTES', { kind: 'session', number: 1 }],
    [0x282, 'ATTRIBUTES', { kind: 'handle', number: 2 }],
    [0x2c2, 'ATTRIBUTES', { kind: 'parameter', number: 2 }],
    [0x3c7, 'KEY_SIZE', { kind: 'parameter', number: 3 }],
    [0x084, 'VALUE', undefined],
    [0x88e, 'AUTH_FAIL', undefined],
    [0xf8e, 'AUTH_FAIL', { kind: 'session', number: 7 }],
    [0x902, 'OBJECT_MEMORY', undefined],
    [0x910, 'REFERENCE_H0', undefined],
    [0x922, 'RETRY', undefined],
  ] as const)('0x%s is %s', (rc, name, subject) => {
    expect(decodeResponseCode(rc)).toMatchObject({ rc, name, subject, layer: 0 });
  });

  it('says what may be done about it', () => {
    const advice = (rc: number): string => decodeResponseCode(rc).retry;
    expect([0x908, 0x90a, 0x922].map(advice)).toEqual(['resend', 'resend', 'resend']);
    expect([0x920, 0x923].map(advice)).toEqual(['back-off', 'back-off']);
    expect([0x902, 0x903, 0x905].map(advice)).toEqual(['free-memory', 'free-memory', 'free-memory']);
    expect([0x100, 0x921, 0x98e, 0x9a2, 0x1df, 0xa9d, 0x909].map(advice)).toEqual([
      'start-up',
      'wait-for-lockout',
      'none',
      'none',
      'none',
      'none',
      'none',
    ]);
  });

  it('looks through the layer of a resource manager, and not through that of other software', () => {
    // Captured from /dev/tpmrm0 for an unknown command.
    expect(decodeResponseCode(0x000b_0143)).toMatchObject({
      name: 'COMMAND_CODE',
      layer: 11,
      warning: false,
    });
    expect(decodeResponseCode(0x000b_0922)).toMatchObject({ name: 'RETRY', layer: 11, warning: true });
    expect(decodeResponseCode(0x000a_0008)).toMatchObject({
      name: 'SOFTWARE',
      layer: 10,
      subject: undefined,
    });
  });

  it('knows codes of makers, of TPM 1.2 and of nobody', () => {
    expect(decodeResponseCode(0x501).name).toBe('VENDOR');
    expect(decodeResponseCode(0x026).name).toBe('TPM12');
    expect(decodeResponseCode(0x01e).name).toBe('BAD_TAG');
    expect(decodeResponseCode(0x1ff).name).toBe('UNKNOWN');
    expect(decodeResponseCode(0x17e).name).toBe('UNKNOWN');
    expect(decodeResponseCode(0x1101).name).toBe('UNKNOWN');
    expect(decodeResponseCode(0x0100_0101).name).toBe('UNKNOWN');
    expect(decodeResponseCode(0xffff_ffff).name).toBe('SOFTWARE');
  });

  it('has a result for every 32-bit number', () => {
    fc.assert(
      fc.property(u32, (rc) => {
        const decoded = decodeResponseCode(rc);
        expect(decoded.rc).toBe(rc);
        expect(formatResponseCode(decoded)).toContain(`0x${rc.toString(16)}`);
      }),
      { numRuns: 1000 },
    );
    for (let rc = 0; rc < 0x1000; rc += 1) expect(decodeResponseCode(rc).rc).toBe(rc);
  });

  it('refuses what is no 32-bit number', () => {
    for (const rc of [-1, 2 ** 32, 1.5, Number.NaN]) {
      expect(() => decodeResponseCode(rc)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    }
  });
});

describe('TpmError', () => {
  it('tells command, code, subject and remedy', () => {
    const error = new TpmError('ActivateCredential', 0x1df);
    expect(error).toMatchObject({
      name: 'TpmError',
      code: 'ERR_TPM_INTEGRITY',
      fault: 'tpm',
      retryable: false,
      command: 'ActivateCredential',
      rc: 0x1df,
      remedy: decodeResponseCode(0x1df).remedy,
    });
    expect(error.message).toContain('ActivateCredential failed with TPM_RC_INTEGRITY (0x1df, parameter 1)');
    expect(Object.keys(error)).not.toContain('decoded');
    expect(error.decoded.subject).toEqual({ kind: 'parameter', number: 1 });
  });

  it('is retryable when time or freed memory cures it', () => {
    const retryable = [0x922, 0x920, 0x902, 0x921].map((rc) => new TpmError('Load', rc).retryable);
    expect(retryable).toEqual([true, true, true, true]);
    expect([0x100, 0x101, 0x9a2].map((rc) => new TpmError('Load', rc).retryable)).toEqual([
      false,
      false,
      false,
    ]);
  });
});
