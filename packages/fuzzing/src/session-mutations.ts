import * as fc from 'fast-check';
import { byteMutations, mutateBytes } from './byte-mutations.ts';
import type { Sequence } from './rearrangement.ts';
import { rearrange, rearrangements } from './rearrangement.ts';

/** What one side wrote in a session, piece by piece. */
export type RecordedSession = readonly Uint8Array[];

const piecesSequence: Sequence<RecordedSession> = {
  length: (whole) => whole.length,
  slice: (whole, from, to) => whole.slice(from, to),
  join: (parts) => parts.flat(),
};

/**
 * Recorded sessions with one to four changes: to the bytes of a piece, or to which pieces come, how often and in which
 * order, also with those of another session. Some are no session at all.
 */
export function mutatedSession(sessions: readonly RecordedSession[]): fc.Arbitrary<RecordedSession> {
  const allPieces = sessions.flat();
  const changes = fc.oneof(
    { weight: 3, arbitrary: fc.record({ piece: fc.nat(), bytes: byteMutations }) },
    { weight: 1, arbitrary: fc.record({ pieces: rearrangements(3) }) },
  );
  const mutated = fc
    .tuple(fc.constantFrom(...sessions), fc.array(changes, { minLength: 1, maxLength: 4 }))
    .map(([session, list]) =>
      list.reduce<RecordedSession>((pieces, each) => {
        if ('pieces' in each) return rearrange(piecesSequence, pieces, each.pieces, sessions);
        const target = each.piece % Math.max(1, pieces.length);
        return pieces.map((piece, index) =>
          index === target ? mutateBytes(piece, each.bytes, allPieces) : piece,
        );
      }, session),
    );
  const none = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 3 });
  return fc
    .oneof({ weight: 7, arbitrary: mutated }, { weight: 1, arbitrary: none })
    .map((pieces) => pieces.filter(({ byteLength }) => byteLength > 0));
}
