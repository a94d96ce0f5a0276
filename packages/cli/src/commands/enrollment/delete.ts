import { defineCommand, type Command } from '../../command/command.ts';
import { openService, serviceEnvironment, serviceOptions } from '../../enrollment/service-options.ts';
import { readSubject, subjectOptions } from '../../enrollment/subject.ts';

/** `endorse enrollment delete`: removes an enrollment. */
export const enrollmentDeleteCommand: Command = defineCommand({
  path: ['enrollment', 'delete'],
  summary: 'remove an enrollment or a group',
  description: [
    'Removes an enrollment or a group: its devices cannot register any more. What they are at their hub stays; to keep a device away for a while, disable its enrollment instead.',
    'With --if-match it is only removed while its etag is still the given one.',
  ],
  options: {
    ...subjectOptions,
    'if-match': { type: 'string', value: 'ETAG', summary: 'etag the record must still have' },
    ...serviceOptions,
  },
  environment: serviceEnvironment,
  examples: [{ line: 'endorse enrollment delete --registration-id my-device', says: 'one device' }],
  exitCodes: { 1: 'there is none, or the service refused or cannot be reached', 3: 'somebody changed it' },
  async run(values, context) {
    const { kind, id } = readSubject(values);
    await using client = await openService(values, context);
    const collection = kind === 'group' ? client.enrollmentGroups : client.enrollments;
    await collection.delete(id, { signal: context.signal, ifMatch: values['if-match'] });
    context.output.event({ event: `${kind === 'group' ? 'enrollment-group' : 'enrollment'}-deleted`, id });
    context.output.result(`${id} was removed`);
    return 0;
  },
});
