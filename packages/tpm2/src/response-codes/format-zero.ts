import type { ResponseCodeRow } from './entry.ts';

/** Names of the format-zero errors (Part 2, 6.6.3, RC_VER1), and of the codes around them. */
export type FormatZeroName =
  | 'SUCCESS'
  | 'BAD_TAG'
  | 'INITIALIZE'
  | 'FAILURE'
  | 'SEQUENCE'
  | 'PRIVATE'
  | 'HMAC'
  | 'DISABLED'
  | 'EXCLUSIVE'
  | 'AUTH_TYPE'
  | 'AUTH_MISSING'
  | 'POLICY'
  | 'PCR'
  | 'PCR_CHANGED'
  | 'UPGRADE'
  | 'TOO_MANY_CONTEXTS'
  | 'AUTH_UNAVAILABLE'
  | 'REBOOT'
  | 'UNBALANCED'
  | 'COMMAND_SIZE'
  | 'COMMAND_CODE'
  | 'AUTHSIZE'
  | 'AUTH_CONTEXT'
  | 'NV_RANGE'
  | 'NV_SIZE'
  | 'NV_LOCKED'
  | 'NV_AUTHORIZATION'
  | 'NV_UNINITIALIZED'
  | 'NV_SPACE'
  | 'NV_DEFINED'
  | 'BAD_CONTEXT'
  | 'CPHASH'
  | 'PARENT'
  | 'NEEDS_TEST'
  | 'NO_RESULT'
  | 'SENSITIVE'
  | 'READ_ONLY';

const fixFrame = 'Report this as a defect of the library, with the trace of the command.';
const resetTpm = 'Restart the TPM (power-cycle the machine); if it persists, the TPM is defective.';

/** Format-zero errors by their low seven bits, to which RC_VER1 (0x100) is added. */
export const formatZeroRows: readonly ResponseCodeRow<FormatZeroName>[] = [
  [
    0x00,
    'INITIALIZE',
    'the TPM awaits Startup, or got it twice',
    'Send Startup on a simulator; on hardware let the firmware do it.',
    'start-up',
  ],
  [
    0x01,
    'FAILURE',
    'an operation failed inside the TPM: a secret that was made for another TPM, if it was given one, or failure mode',
    'Read the reason with GetTestResult, then restart the TPM; for ActivateCredential or Import, make sure that the secret was encrypted to this TPM.',
  ],
  [0x03, 'SEQUENCE', 'a sequence handle was used improperly', fixFrame],
  [0x0b, 'PRIVATE', 'not currently used', fixFrame],
  [0x19, 'HMAC', 'not currently used', fixFrame],
  [
    0x20,
    'DISABLED',
    'the command is disabled',
    'Enable the command or its hierarchy in the firmware settings.',
  ],
  [
    0x21,
    'EXCLUSIVE',
    'another command came in between the commands of an exclusive audit session',
    'Stop other users of the TPM while the audit runs, then start it anew.',
  ],
  [
    0x24,
    'AUTH_TYPE',
    'the kind of authorization is not right for this command',
    'Authorize with the kind of session that the key and the command ask for.',
  ],
  [
    0x25,
    'AUTH_MISSING',
    'the command needs an authorization and got none',
    'Give an authorization for every handle that needs one.',
  ],
  [
    0x26,
    'POLICY',
    'a policy command failed, or its policy cannot be used here',
    'Start a fresh policy session and satisfy the policy again.',
  ],
  [0x27, 'PCR', 'a PCR check failed', 'Check that the machine booted the software the policy names.'],
  [
    0x28,
    'PCR_CHANGED',
    'a PCR changed since it was checked',
    'Start a fresh policy session and satisfy the policy again.',
  ],
  [
    0x2d,
    'UPGRADE',
    'the TPM is in field-upgrade mode, or not when it must be',
    'Finish the firmware upgrade of the TPM, then restart it.',
  ],
  [
    0x2e,
    'TOO_MANY_CONTEXTS',
    'the counter of saved contexts is at its maximum',
    'Flush saved contexts, or restart the TPM.',
    'free-memory',
  ],
  [
    0x2f,
    'AUTH_UNAVAILABLE',
    'the object cannot be authorized this way (no userWithAuth, or no policy)',
    'Use a policy session for a key with adminWithPolicy, a password or HMAC session for one with userWithAuth.',
  ],
  [0x30, 'REBOOT', 'the TPM must be initialized before it goes on', resetTpm],
  [
    0x31,
    'UNBALANCED',
    'the digest sizes of the hierarchies or the symmetric algorithm do not fit each other',
    'Use a hash whose digest is as strong as the symmetric key.',
  ],
  [
    0x42,
    'COMMAND_SIZE',
    'the size in the command header is not the size of the command',
    'Make sure that nothing between here and the TPM splits or joins commands.',
  ],
  [
    0x43,
    'COMMAND_CODE',
    'the TPM does not have this command',
    'Use a TPM 2.0 that implements it; Windows may also block it.',
  ],
  [0x44, 'AUTHSIZE', 'the size of the authorization area is out of range or does not fit', fixFrame],
  [
    0x45,
    'AUTH_CONTEXT',
    'the command does not take authorizations of sessions other than those allowed',
    fixFrame,
  ],
  [
    0x46,
    'NV_RANGE',
    'the offset and size lie outside the NV index',
    'Read the size with NV_ReadPublic and stay inside it.',
  ],
  [0x47, 'NV_SIZE', 'the requested NV size is more than the TPM allows', 'Ask for a smaller index.'],
  [
    0x48,
    'NV_LOCKED',
    'the NV index is locked',
    'Restart the TPM if the lock lasts until then; otherwise have its owner delete the index.',
  ],
  [
    0x49,
    'NV_AUTHORIZATION',
    'the authorization is not allowed for this NV index',
    'Authorize with the entity the attributes of the index name (owner, platform or the index itself).',
  ],
  [0x4a, 'NV_UNINITIALIZED', 'the NV index was defined but never written', 'Write the index first.'],
  [
    0x4b,
    'NV_SPACE',
    'there is not enough NV memory',
    'Remove persistent keys or NV indices that nobody uses.',
  ],
  [
    0x4c,
    'NV_DEFINED',
    'the NV index or persistent handle is already occupied',
    'Remove what is there (EvictControl or NV_UndefineSpace), or use another handle.',
  ],
  [
    0x50,
    'BAD_CONTEXT',
    'the saved context is not valid',
    'Save the context again; it does not survive a reset of the TPM.',
  ],
  [
    0x51,
    'CPHASH',
    'the session already has a command or name hash, or it does not fit this command',
    'Start a fresh policy session.',
  ],
  [
    0x52,
    'PARENT',
    'the handle is not that of a valid parent',
    'Give a storage key (restricted, decrypt) as the parent.',
  ],
  [0x53, 'NEEDS_TEST', 'a function has to be tested first', 'Run SelfTest, then send the command again.'],
  [
    0x54,
    'NO_RESULT',
    'an internal function could not process the request',
    'Check the parameters; if they are right, restart the TPM.',
  ],
  [
    0x55,
    'SENSITIVE',
    'the sensitive area did not decode after it was decrypted',
    'Make sure that the wrapped key was made for this TPM and was not altered.',
  ],
  [
    0x56,
    'READ_ONLY',
    'the TPM is in read-only mode',
    'Leave read-only mode (ReadOnlyControl with platform authorization).',
  ],
];

/** Success, and the TPM 1.2 code that a TPM 2.0 still answers to an unknown tag. */
export const versionOneRows: readonly ResponseCodeRow<FormatZeroName>[] = [
  [0x00, 'SUCCESS', 'the command succeeded', 'Nothing has to be done.'],
  [
    0x1e,
    'BAD_TAG',
    'the tag of the command is unknown, as every TPM 2.0 tag is to a TPM 1.2',
    'Use a TPM 2.0; check that nothing alters the bytes on the way.',
  ],
];
