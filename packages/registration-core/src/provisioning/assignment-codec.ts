import type { JsonValue } from '@endorse/interface';
import { attestationKinds } from '@endorse/interface';
import type { Assignment } from './provisioned-device.ts';

const format = 'endorse-assignment';
const version = 1;

/** Longest text that is taken for an assignment, in characters: the service's largest message is 96 KiB. */
const maxLength = 262_144;

/** Writes an assignment as JSON for a store; ends in a line feed. */
export function encodeAssignment(assignment: Assignment): string {
  return `${JSON.stringify({ format, version, ...assignment }, undefined, 2)}\n`;
}

/** Reads an assignment; undefined for anything that is not one, whatever it is: a cut-off file, another program's, a later version. */
export function decodeAssignment(text: string): Assignment | undefined {
  if (text.length > maxLength) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  const attestation = attestationKinds.find((kind) => kind === fields['attestation']);
  const assignedAt = fields['assignedAt'];
  const texts = textFields(fields);
  if (fields['format'] !== format || fields['version'] !== version) return undefined;
  if (attestation === undefined || texts === undefined) return undefined;
  if (typeof assignedAt !== 'number' || !Number.isFinite(assignedAt)) return undefined;
  const { substatus, payload } = fields;
  return {
    ...texts,
    attestation,
    ...(typeof substatus === 'string' ? { substatus } : {}),
    // Parsed from JSON, so it is JSON.
    ...(payload === undefined ? {} : { payload: payload as JsonValue }),
    assignedAt,
  };
}

type Texts = Pick<
  Assignment,
  'provisioningHost' | 'idScope' | 'registrationId' | 'assignedHub' | 'deviceId' | 'operationId'
>;

function textFields(fields: Readonly<Record<string, unknown>>): Texts | undefined {
  const { provisioningHost, idScope, registrationId, assignedHub, deviceId, operationId } = fields;
  const required = [provisioningHost, idScope, registrationId, assignedHub, deviceId];
  if (!required.every((text) => typeof text === 'string' && text !== '')) return undefined;
  if (typeof operationId !== 'string') return undefined;
  return { provisioningHost, idScope, registrationId, assignedHub, deviceId, operationId } as Texts;
}
