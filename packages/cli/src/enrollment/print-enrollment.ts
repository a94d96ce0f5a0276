import type { EnrollmentGroup, IndividualEnrollment } from '@endorse/enrollment-client';
import type { AttestationMechanism } from '@endorse/protocol';
import { enrollmentGroupToJson, individualEnrollmentToJson } from '@endorse/protocol';
import type { CommandContext } from '../command/command.ts';

/** An enrollment or a group, as the service tells it. */
export type AnyEnrollment = IndividualEnrollment | EnrollmentGroup;

/** Prints one as a JSON line, or as rows for a person. Symmetric keys are left out, whoever sent them. */
export function printEnrollment(enrollment: AnyEnrollment, { output }: CommandContext): void {
  output.event({ event: eventOf(enrollment), ...toJson(enrollment) });
  const row = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '')
      output.result(`${output.style('dim', name.padEnd(18))} ${value}`);
  };
  const { attestation, registrationState: state } = {
    registrationState: undefined,
    ...enrollment,
  };
  row(isGroup(enrollment) ? 'enrollment group' : 'registration id', idOf(enrollment));
  if (!isGroup(enrollment)) row('device id', enrollment.deviceId);
  row('attestation', describeAttestation(attestation));
  row('status', statusOf(enrollment, output.style));
  row('allocation', enrollment.allocationPolicy);
  row('hubs', enrollment.iotHubs?.join(', ') ?? enrollment.iotHubHostName);
  row('etag', enrollment.etag);
  row('last change', enrollment.lastUpdatedDateTimeUtc);
  if (state !== undefined) {
    row('registration', [state.status, state.substatus].filter((word) => word !== undefined).join(', '));
    row('assigned hub', state.assignedHub);
    row('error', state.errorMessage);
  }
}

/** Prints one as a line of a list. */
export function printEnrollmentLine(enrollment: AnyEnrollment, { output }: CommandContext): void {
  output.event({ event: eventOf(enrollment), ...toJson(enrollment) });
  const columns = [
    idOf(enrollment).padEnd(54),
    enrollment.attestation.type.padEnd(13),
    statusOf(enrollment, output.style),
    isGroup(enrollment) ? '' : (enrollment.registrationState?.assignedHub ?? ''),
  ];
  output.result(columns.join(' ').trimEnd());
}

/** The id of either. */
export function idOf(enrollment: AnyEnrollment): string {
  return isGroup(enrollment) ? enrollment.enrollmentGroupId : enrollment.registrationId;
}

function isGroup(enrollment: AnyEnrollment): enrollment is EnrollmentGroup {
  return 'enrollmentGroupId' in enrollment;
}

function eventOf(enrollment: AnyEnrollment): string {
  return isGroup(enrollment) ? 'enrollment-group' : 'enrollment';
}

function toJson(enrollment: AnyEnrollment): Readonly<Record<string, unknown>> {
  const attestation = withoutKeys(enrollment.attestation);
  return isGroup(enrollment)
    ? enrollmentGroupToJson({ ...enrollment, attestation })
    : individualEnrollmentToJson({ ...enrollment, attestation });
}

function withoutKeys(attestation: AttestationMechanism): AttestationMechanism {
  return attestation.type === 'symmetricKey' ? { type: 'symmetricKey' } : attestation;
}

function statusOf(
  { provisioningStatus = 'enabled' }: AnyEnrollment,
  style: CommandContext['output']['style'],
): string {
  return style(provisioningStatus === 'enabled' ? 'green' : 'yellow', provisioningStatus);
}

function describeAttestation(attestation: AttestationMechanism): string {
  if (attestation.type === 'tpm') {
    return `tpm, endorsement key ${Buffer.from(attestation.endorsementKey).toString('base64').slice(0, 24)}…`;
  }
  if (attestation.type !== 'x509') return attestation.type;
  const { clientCertificates, signingCertificates, caReferences } = attestation;
  const thumbprint = (clientCertificates ?? signingCertificates)?.primary?.info?.['sha256Thumbprint'];
  if (typeof thumbprint === 'string') return `x509, certificate ${thumbprint}`;
  return caReferences === undefined
    ? 'x509'
    : `x509, CA ${caReferences.primary ?? caReferences.secondary ?? ''}`;
}
