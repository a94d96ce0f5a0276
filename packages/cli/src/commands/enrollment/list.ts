import type { PagedQuery } from '@endorse/enrollment-client';
import { defineCommand, type Command } from '../../command/command.ts';
import type { AnyEnrollment } from '../../enrollment/print-enrollment.ts';
import { printEnrollmentLine } from '../../enrollment/print-enrollment.ts';
import { openService, serviceEnvironment, serviceOptions } from '../../enrollment/service-options.ts';

/** `endorse enrollment list`: prints enrollments, or groups. */
export const enrollmentListCommand: Command = defineCommand({
  path: ['enrollment', 'list'],
  summary: 'list enrollments or enrollment groups',
  description: [
    'Prints the enrollments of single devices, or with --groups the enrollment groups, a line each: id, attestation, status, and the hub of a device that has one. They are fetched page by page, so a large service begins to answer at once.',
  ],
  options: {
    groups: { type: 'boolean', summary: 'list groups instead of single devices' },
    where: {
      type: 'string',
      value: 'CONDITION',
      summary: 'only those that meet a condition of the query language',
    },
    limit: { type: 'integer', value: 'N', summary: 'stop after so many', minimum: 1, maximum: 1_000_000_000 },
    ...serviceOptions,
  },
  environment: serviceEnvironment,
  examples: [
    { line: 'endorse enrollment list', says: 'every device' },
    {
      line: "endorse enrollment list --where \"attestation.type = 'tpm' AND provisioningStatus = 'disabled'\"",
      says: 'those with a TPM that may not register',
    },
    { line: 'endorse enrollment list --groups --json', says: 'every group, for a program' },
  ],
  exitCodes: { 1: 'the service refused or cannot be reached' },
  async run(values, context) {
    await using client = await openService(values, context);
    const { limit = Number.POSITIVE_INFINITY, where } = values;
    const options = { signal: context.signal, pageSize: Math.min(limit, 1000) };
    const condition = where === undefined ? '' : ` WHERE ${where}`;
    const found: PagedQuery<AnyEnrollment> = values.groups
      ? client.enrollmentGroups.query(`SELECT * FROM enrollmentGroups${condition}`, options)
      : client.enrollments.query(`SELECT * FROM enrollments${condition}`, options);
    let count = 0;
    for await (const enrollment of found) {
      printEnrollmentLine(enrollment, context);
      count += 1;
      if (count >= limit) break;
    }
    if (count === 0) context.output.progress('there is none');
    context.output.event({ event: 'listed', count });
    return 0;
  },
});
