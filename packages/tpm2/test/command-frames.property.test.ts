/** Oracle: TPMS_AUTH_COMMAND of tss.js 2.0.0, and a captured conversation with a simulator. */
import { commands, encodeCommand, passwordAuthorization, rh } from '@endorse/tpm2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes, u32, u8 } from './support/arbitraries.ts';
import { toHex } from './support/bytes.ts';
import { tss } from './support/tss.ts';

const digest = bytes(0, 64);
const handle = (value: number): tss.TPM_HANDLE => new tss.TPM_HANDLE(value);

describe('command frames', () => {
  it('start with tag, size and code as captured from a simulator conversation', () => {
    // Captured: GetRandom(4) as the Microsoft/IBM simulator takes it.
    expect(toHex(encodeCommand(commands.GetRandom, { bytesRequested: 4 }))).toBe('80010000000c0000017b0004');
  });

  it('carry authorizations as tss.js lays out TPMS_AUTH_COMMAND', () => {
    const entry = fc.record({ sessionHandle: u32, nonceCaller: digest, sessionAttributes: u8, hmac: digest });
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 3 }), (authorizations) => {
        const request = { auth: rh.owner, objectHandle: 0x8000_0000, persistentHandle: 0x8101_0001 };
        const frame = encodeCommand(commands.EvictControl, request, authorizations);
        const area = Buffer.concat(
          authorizations.map((value) =>
            new tss.TPMS_AUTH_COMMAND(
              handle(value.sessionHandle),
              Buffer.from(value.nonceCaller),
              value.sessionAttributes,
              Buffer.from(value.hmac),
            ).toBytes(),
          ),
        );
        const word = (value: number): string => value.toString(16).padStart(8, '0');
        expect(toHex(frame)).toBe(
          [
            '8002',
            word(10 + 8 + 4 + area.byteLength + 4),
            '00000120',
            '40000001',
            '80000000',
            word(area.byteLength),
            area.toString('hex'),
            '81010001',
          ].join(''),
        );
      }),
    );
  });

  it('carry a password in clear, as TPM_RS_PW', () => {
    const theirs = new tss.TPMS_AUTH_COMMAND(handle(rh.pw), Buffer.alloc(0), 1, Buffer.from('abcd', 'hex'));
    const request = { authHandle: rh.owner };
    const frame = encodeCommand(commands.Clear, request, [passwordAuthorization(Uint8Array.of(0xab, 0xcd))]);
    expect(toHex(frame.subarray(18))).toBe(theirs.toBytes().toString('hex'));
  });
});
