import type { Secret } from '@endorse/interface';
import { UsageError } from '../command/usage-error.ts';
import { secretFromEnv } from './secret-from-env.ts';

/** Options of every command that opens a TPM and may create keys in it. */
export const tpmOptions = {
  'owner-auth-env': {
    type: 'string',
    value: 'VAR',
    summary: 'environment variable with the password of the owner hierarchy',
  },
  'endorsement-auth-env': {
    type: 'string',
    value: 'VAR',
    summary: 'environment variable with the password of the endorsement hierarchy',
  },
  'ek-template': {
    type: 'string',
    value: 'NAME',
    summary: 'template an absent endorsement key is created from',
    choices: ['tcg', 'azure-legacy', 'ecc'],
    default: 'tcg',
  },
} as const;

/** Passwords of the hierarchies. */
export interface HierarchyAuth {
  readonly ownerAuth?: Secret;
  readonly endorsementAuth?: Secret;
}

/** Reads the passwords that the options name. Throws `UsageError` for a variable that is not set. */
export function readHierarchyAuth(
  values: {
    readonly 'owner-auth-env': string | undefined;
    readonly 'endorsement-auth-env': string | undefined;
  },
  env: Readonly<Record<string, string | undefined>>,
): HierarchyAuth {
  const ownerAuth = secretFromEnv('owner-auth-env', values['owner-auth-env'], env);
  const endorsementAuth = secretFromEnv('endorsement-auth-env', values['endorsement-auth-env'], env);
  return {
    ...(ownerAuth === undefined ? {} : { ownerAuth }),
    ...(endorsementAuth === undefined ? {} : { endorsementAuth }),
  };
}

/** Narrows a choice of {@link tpmOptions}. */
export function readEkTemplate(text: string): 'tcg' | 'azure-legacy' | 'ecc' {
  if (text === 'tcg' || text === 'azure-legacy' || text === 'ecc') return text;
  throw new UsageError('--ek-template must be tcg, azure-legacy or ecc');
}
