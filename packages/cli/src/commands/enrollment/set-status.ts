import type { ProvisioningStatus } from '@endorse/protocol';
import { defineCommand, type Command } from '../../command/command.ts';
import { printEnrollment } from '../../enrollment/print-enrollment.ts';
import { openService, serviceEnvironment, serviceOptions } from '../../enrollment/service-options.ts';
import { readSubject, subjectOptions } from '../../enrollment/subject.ts';

/** `endorse enrollment disable`: refuses devices from now on. */
export const enrollmentDisableCommand: Command = statusCommand('disable', 'disabled', {
  summary: 'keep a device, or the devices of a group, from registering',
  description:
    'Refuses registrations from now on. A device that is assigned already keeps its hub, and its key there.',
});

/** `endorse enrollment enable`: lets devices register again. */
export const enrollmentEnableCommand: Command = statusCommand('enable', 'enabled', {
  summary: 'let a disabled device, or group, register again',
  description: 'Accepts registrations again.',
});

function statusCommand(
  word: string,
  provisioningStatus: ProvisioningStatus,
  help: { readonly summary: string; readonly description: string },
): Command {
  return defineCommand({
    path: ['enrollment', word],
    summary: help.summary,
    description: [
      help.description,
      'The record is read and written back with its etag, so that nobody else’s change is lost.',
    ],
    options: { ...subjectOptions, ...serviceOptions },
    environment: serviceEnvironment,
    examples: [{ line: `endorse enrollment ${word} --registration-id my-device`, says: 'one device' }],
    exitCodes: {
      1: 'there is none, or the service refused or cannot be reached',
      3: 'somebody changed it at the same time',
    },
    async run(values, context) {
      const { kind, id } = readSubject(values);
      await using client = await openService(values, context);
      const { signal } = context;
      const updated =
        kind === 'group'
          ? await client.enrollmentGroups.update(
              { ...(await client.enrollmentGroups.get(id, { signal })), provisioningStatus },
              { signal },
            )
          : await client.enrollments.update(
              { ...(await client.enrollments.get(id, { signal })), provisioningStatus },
              { signal },
            );
      printEnrollment(updated, context);
      return 0;
    },
  });
}
