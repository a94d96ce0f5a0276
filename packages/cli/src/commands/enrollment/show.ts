import { defineCommand, type Command } from '../../command/command.ts';
import { keyFileOption, primaryKeyOf, writeKeyFile } from '../../enrollment/key-file.ts';
import { printEnrollment } from '../../enrollment/print-enrollment.ts';
import { openService, serviceEnvironment, serviceOptions } from '../../enrollment/service-options.ts';
import { readSubject, subjectOptions } from '../../enrollment/subject.ts';

/** `endorse enrollment show`: prints one enrollment and what became of its device. */
export const enrollmentShowCommand: Command = defineCommand({
  path: ['enrollment', 'show'],
  summary: 'show an enrollment and what became of its device',
  description: [
    'Prints one enrollment or group: how devices prove themselves, whether they may register, where they go, and for a single device what came of it. Symmetric keys are never printed; --key-file puts the primary one into a file.',
  ],
  options: { ...subjectOptions, ...keyFileOption, ...serviceOptions },
  environment: serviceEnvironment,
  examples: [
    { line: 'endorse enrollment show --registration-id my-device', says: 'one device' },
    {
      line: 'endorse enrollment show --group-id plant-7 --key-file plant-7.key',
      says: 'a group, its key into a file',
    },
  ],
  exitCodes: { 1: 'there is none, or the service refused or cannot be reached' },
  async run(values, context) {
    const { kind, id } = readSubject(values);
    await using client = await openService(values, context);
    const { signal } = context;
    const collection = kind === 'group' ? client.enrollmentGroups : client.enrollments;
    const enrollment = await collection.get(id, { signal });
    const { 'key-file': keyFile } = values;
    if (keyFile !== undefined) {
      writeKeyFile(keyFile, primaryKeyOf(await collection.getAttestationMechanism(id, { signal })));
      context.output.progress(`the primary key is in ${keyFile}`);
    }
    printEnrollment(enrollment, context);
    return 0;
  },
});
