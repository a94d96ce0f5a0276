import type { ResponseCodeRow } from './entry.ts';

/** Names of the warnings (Part 2, 6.6.3, RC_WARN). */
export type WarningName =
  | 'CONTEXT_GAP'
  | 'OBJECT_MEMORY'
  | 'SESSION_MEMORY'
  | 'MEMORY'
  | 'SESSION_HANDLES'
  | 'OBJECT_HANDLES'
  | 'LOCALITY'
  | 'YIELDED'
  | 'CANCELED'
  | 'TESTING'
  | 'REFERENCE_H0'
  | 'REFERENCE_H1'
  | 'REFERENCE_H2'
  | 'REFERENCE_H3'
  | 'REFERENCE_H4'
  | 'REFERENCE_H5'
  | 'REFERENCE_H6'
  | 'REFERENCE_S0'
  | 'REFERENCE_S1'
  | 'REFERENCE_S2'
  | 'REFERENCE_S3'
  | 'REFERENCE_S4'
  | 'REFERENCE_S5'
  | 'REFERENCE_S6'
  | 'NV_RATE'
  | 'LOCKOUT'
  | 'RETRY'
  | 'NV_UNAVAILABLE'
  | 'NOT_USED';

const useResourceManager =
  'Use the TPM through a resource manager (/dev/tpmrm0), or flush what other programs left behind.';
const sendAgain = 'Send the command again; the library does so by itself, within bounds.';

/** Warnings by their low seven bits, to which RC_WARN (0x900) is added. */
export const warningRows: readonly ResponseCodeRow<WarningName>[] = [
  [
    0x01,
    'CONTEXT_GAP',
    'the oldest saved session is too far behind the newest',
    'Load and save (or flush) the oldest saved sessions.',
    'free-memory',
  ],
  [0x02, 'OBJECT_MEMORY', 'no slot is free for another object', useResourceManager, 'free-memory'],
  [0x03, 'SESSION_MEMORY', 'no slot is free for another session', useResourceManager, 'free-memory'],
  [0x04, 'MEMORY', 'out of memory for objects, sessions or internal work', useResourceManager, 'free-memory'],
  [
    0x05,
    'SESSION_HANDLES',
    'every session handle is in use',
    'Flush sessions, saved ones too.',
    'free-memory',
  ],
  [0x06, 'OBJECT_HANDLES', 'every object handle is in use', useResourceManager, 'free-memory'],
  [
    0x07,
    'LOCALITY',
    'the locality is not right for this command',
    'Send the command at the locality it needs; a simulator keeps the last one it was set to.',
  ],
  [0x08, 'YIELDED', 'the TPM suspended the command and made progress', sendAgain, 'resend'],
  [0x09, 'CANCELED', 'the command was cancelled', 'Send it again if it was not you who cancelled it.'],
  [0x0a, 'TESTING', 'the TPM is testing itself', sendAgain, 'resend'],
  ...referenceRows('H', 'handle', 0x10),
  ...referenceRows('S', 'session', 0x18),
  [
    0x20,
    'NV_RATE',
    'the TPM slows down writes to protect its memory from wear',
    'Wait; then look for what writes to the TPM so often.',
    'back-off',
  ],
  [
    0x21,
    'LOCKOUT',
    'too many wrong authorizations: the TPM is in dictionary-attack lockout',
    'Wait for the recovery time (property 0x211), or reset with the lockout authorization.',
    'wait-for-lockout',
  ],
  [0x22, 'RETRY', 'the TPM could not start the command', sendAgain, 'resend'],
  [
    0x23,
    'NV_UNAVAILABLE',
    'the command writes to NV memory, which is not accessible now',
    'Wait; on a simulator, turn NV on.',
    'back-off',
  ],
  [0x7f, 'NOT_USED', 'reserved; never returned', 'Report this as a defect of the TPM.'],
];

function referenceRows(letter: 'H' | 'S', what: string, base: number): ResponseCodeRow<WarningName>[] {
  const positions = [0, 1, 2, 3, 4, 5, 6] as const;
  return positions.map((position) => [
    base + position,
    `REFERENCE_${letter}${position}`,
    `${what} ${position + 1} of the command names something that is not loaded`,
    'Load it again: it was flushed, or never existed in this TPM.',
  ]);
}
