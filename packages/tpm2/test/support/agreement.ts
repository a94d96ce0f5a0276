import type { Command } from '@endorse/tpm2';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toHex } from './bytes.ts';
import type { ReqStructure } from './tss.ts';
import { tss } from './tss.ts';

/** tss.js does not mark TPM2B_PRIVATE as something a session can encrypt; Part 3, 12.2 does. */
const unmarkedByTss: readonly string[] = ['Load'];

/** Registers the tests that compare one command, its requests and its code, with tss.js. */
export function agrees<Request>(
  command: Command<Request, unknown>,
  requests: fc.Arbitrary<Request>,
  toTss: (request: Request) => ReqStructure,
): void {
  it(`${command.name} is written as tss.js writes it`, () => {
    fc.assert(
      fc.property(requests, (request) => {
        const theirs = toTss(request);
        expect(toHex(command.encodeParameters(request))).toBe(theirs.toBytes().toString('hex'));
        const theirHandles = theirs.getHandles() ?? [];
        expect(command.encodeHandles(request)).toEqual(theirHandles.map(({ handle: value }) => value >>> 0));
        expect(command.handleCount).toBe(theirs.numHandles());
        expect(command.authHandleCount).toBe(theirs.numAuthHandles());
        if (!unmarkedByTss.includes(command.name)) {
          expect(command.firstParameterIsTpm2b).toBe(theirs.sessEncInfo().sizeLen === 2);
        }
      }),
      { numRuns: 60 },
    );
  });

  it(`${command.name} has the command code of tss.js`, () => {
    const codes = tss.TPM_CC as unknown as Readonly<Record<string, number>>;
    expect(command.code).toBe(codes[command.name]);
  });
}
