import { writeFileSync } from 'node:fs';
import type { Secret } from '@endorse/interface';
import type { AttestationMechanism } from '@endorse/protocol';
import { UsageError } from '../command/usage-error.ts';

/** Option of commands that may hand out a symmetric key: into a file, never to a terminal. */
export const keyFileOption = {
  'key-file': {
    type: 'string',
    value: 'FILE',
    summary: 'new file for the primary symmetric key in base64, readable by you alone',
  },
} as const;

/** The primary key of a symmetric-key attestation. Throws `UsageError` for another kind. */
export function primaryKeyOf(attestation: AttestationMechanism): Secret {
  const key = attestation.type === 'symmetricKey' ? attestation.primaryKey : undefined;
  if (key !== undefined) return key;
  throw new UsageError(
    `--key-file: the enrollment has ${attestation.type} attestation, and so no symmetric key`,
  );
}

/** Writes a key into a file that must not exist yet. Throws `UsageError`. */
export function writeKeyFile(file: string, key: Secret): void {
  try {
    writeFileSync(file, `${Buffer.from(key.reveal()).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    throw new UsageError(`--key-file: cannot create ${file}`, { cause });
  }
}
