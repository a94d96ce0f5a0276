import { validateRegistrationId } from '@endorse/protocol';
import { checkOption } from '../command/check-option.ts';
import { UsageError } from '../command/usage-error.ts';

/** Options that say which record a command is about. */
export const subjectOptions = {
  'registration-id': { type: 'string', value: 'ID', summary: 'the enrollment of this device' },
  'group-id': { type: 'string', value: 'ID', summary: 'the enrollment group of this id' },
} as const;

/** Which record a command is about. */
export type Subject =
  | { readonly kind: 'enrollment'; readonly id: string }
  | { readonly kind: 'group'; readonly id: string };

/** What {@link readSubject} needs to know. */
export interface SubjectValues {
  readonly 'registration-id': string | undefined;
  readonly 'group-id': string | undefined;
}

/** Reads the subject; exactly one of the options has to be there. Throws `UsageError`. */
export function readSubject(values: SubjectValues): Subject {
  const { 'registration-id': registrationId, 'group-id': groupId } = values;
  if ((registrationId === undefined) === (groupId === undefined)) {
    throw new UsageError('exactly one of --registration-id and --group-id is needed');
  }
  return registrationId === undefined
    ? { kind: 'group', id: checkOption('group-id', () => validateRegistrationId(groupId ?? '')) }
    : {
        kind: 'enrollment',
        id: checkOption('registration-id', () => validateRegistrationId(registrationId)),
      };
}
