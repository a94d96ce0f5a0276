import type { ResponseCodeRow } from './entry.ts';

/** Names of the format-one errors, which say which handle, parameter or session they mean (Part 2, 6.6.3, RC_FMT1). */
export type FormatOneName =
  | 'ASYMMETRIC'
  | 'ATTRIBUTES'
  | 'HASH'
  | 'VALUE'
  | 'HIERARCHY'
  | 'KEY_SIZE'
  | 'MGF'
  | 'MODE'
  | 'TYPE'
  | 'HANDLE'
  | 'KDF'
  | 'RANGE'
  | 'AUTH_FAIL'
  | 'NONCE'
  | 'PP'
  | 'SCHEME'
  | 'SIZE'
  | 'SYMMETRIC'
  | 'TAG'
  | 'SELECTOR'
  | 'INSUFFICIENT'
  | 'SIGNATURE'
  | 'KEY'
  | 'POLICY_FAIL'
  | 'INTEGRITY'
  | 'TICKET'
  | 'RESERVED_BITS'
  | 'BAD_AUTH'
  | 'EXPIRED'
  | 'POLICY_CC'
  | 'BINDING'
  | 'CURVE'
  | 'ECC_POINT'
  | 'FW_LIMITED'
  | 'SVN_LIMITED'
  | 'PARMS'
  | 'EXT_MU'
  | 'ONE_SHOT_SIGNATURE'
  | 'SIGN_CONTEXT_KEY'
  | 'CHANNEL'
  | 'CHANNEL_KEY';

const useSupported = 'Choose one that GetCapability lists for this TPM.';
const checkParameter = 'Check the value against what this TPM supports.';
const repeatPolicy = 'Start a fresh policy session, satisfy the whole policy, then send the command.';

/** Format-one errors by their low six bits, to which RC_FMT1 (0x080) is added. */
export const formatOneRows: readonly ResponseCodeRow<FormatOneName>[] = [
  [0x01, 'ASYMMETRIC', 'the asymmetric algorithm is not supported or not correct', useSupported],
  [
    0x02,
    'ATTRIBUTES',
    'the attributes contradict each other or forbid this use',
    'Check the object attributes against the use; a fixedTPM object cannot be imported.',
  ],
  [0x03, 'HASH', 'the hash algorithm is not supported or not fit for this use', useSupported],
  [0x04, 'VALUE', 'a value is out of range or wrong in this place', checkParameter],
  [
    0x05,
    'HIERARCHY',
    'the hierarchy is disabled or not right for this use',
    'Enable the hierarchy in the firmware settings, or use another.',
  ],
  [
    0x07,
    'KEY_SIZE',
    'the key size is not supported',
    'Use a size the TPM supports; an HMAC key may not exceed the block of its hash.',
  ],
  [0x08, 'MGF', 'the mask generation function is not supported', useSupported],
  [0x09, 'MODE', 'the mode of operation is not supported', useSupported],
  [0x0a, 'TYPE', 'the type of the value is not right for this use', checkParameter],
  [
    0x0b,
    'HANDLE',
    'nothing has this handle, or it is not allowed here',
    'Check that the key, session or index exists in this TPM and was not flushed.',
  ],
  [0x0c, 'KDF', 'the key derivation function is not supported or not fit for this use', useSupported],
  [0x0d, 'RANGE', 'a value is outside its range', checkParameter],
  [
    0x0e,
    'AUTH_FAIL',
    'the authorization value is wrong, and the TPM counted it as an attack',
    'Give the right authorization value; do not guess, the TPM locks up after a few wrong ones.',
  ],
  [0x0f, 'NONCE', 'the nonce is too short, too long or not the expected one', 'Start a fresh session.'],
  [0x10, 'PP', 'the command needs physical presence', 'Assert physical presence in the firmware settings.'],
  [
    0x12,
    'SCHEME',
    'the scheme is not supported or does not fit the key',
    'Use the scheme of the key, or one the TPM supports.',
  ],
  [
    0x15,
    'SIZE',
    'a structure has the wrong size',
    'Check the size against the limits of this TPM (properties 0x10d and 0x12c).',
  ],
  [
    0x16,
    'SYMMETRIC',
    'the symmetric algorithm or key size is not supported or does not fit',
    'Use the symmetric algorithm of the parent key.',
  ],
  [0x17, 'TAG', 'a structure has the wrong tag', checkParameter],
  [0x18, 'SELECTOR', 'a union has an unknown selector', checkParameter],
  [
    0x1a,
    'INSUFFICIENT',
    'the TPM ran out of bytes while it read a value',
    'Check that the value is complete and decrypts with the right key.',
  ],
  [
    0x1b,
    'SIGNATURE',
    'the signature is not valid',
    'Check that the signature was made by the expected key over these bytes.',
  ],
  [0x1c, 'KEY', 'the fields of the key are not compatible with this use', 'Use a key that was made for it.'],
  [0x1d, 'POLICY_FAIL', 'the policy of the object is not satisfied', repeatPolicy],
  [
    0x1f,
    'INTEGRITY',
    'the integrity check failed: the data was altered, or made for another TPM or another object',
    'Make sure that the service knows the endorsement and storage root keys of this very TPM, then ask it for a fresh challenge.',
  ],
  [0x20, 'TICKET', 'the ticket is not valid', 'Ask the TPM for a fresh ticket; it does not survive a reset.'],
  [0x21, 'RESERVED_BITS', 'bits that must be zero are set', checkParameter],
  [
    0x22,
    'BAD_AUTH',
    'the authorization value is wrong',
    'Give the right authorization value of the hierarchy or key.',
  ],
  [0x23, 'EXPIRED', 'the policy has expired', repeatPolicy],
  [0x24, 'POLICY_CC', 'the policy is for another command', repeatPolicy],
  [
    0x25,
    'BINDING',
    'the public and the private part do not belong together',
    'Ask for the key again; the public or private part was mixed up.',
  ],
  [0x26, 'CURVE', 'the elliptic curve is not supported', useSupported],
  [0x27, 'ECC_POINT', 'the point is not on the curve', 'Check the public key that was given.'],
  [
    0x28,
    'FW_LIMITED',
    'the hierarchy is bound to a firmware whose secret is not available',
    'Use a hierarchy that is not bound to the firmware.',
  ],
  [
    0x29,
    'SVN_LIMITED',
    'the hierarchy is bound to a firmware version whose secret is not available',
    'Use a hierarchy that is not bound to the firmware version.',
  ],
  [0x2a, 'PARMS', 'the parameter set is not supported', useSupported],
  [0x2b, 'EXT_MU', 'an external mu is not supported', 'Let the TPM compute it.'],
  [
    0x2c,
    'ONE_SHOT_SIGNATURE',
    'this key signs only messages that fit one command',
    'Send the whole message with the completing command.',
  ],
  [
    0x2d,
    'SIGN_CONTEXT_KEY',
    'the signature was started with another key',
    'Finish it with the key that started it.',
  ],
  [0x30, 'CHANNEL', 'the command must come over a secure channel', 'Establish the secure channel first.'],
  [
    0x31,
    'CHANNEL_KEY',
    'the secure channel was made with another key than the required one',
    'Establish the secure channel with the required keys.',
  ],
];
