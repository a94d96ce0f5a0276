import type { CapabilityData, CapabilityKind } from '../structures/capabilities.ts';
import { capabilityKinds, readCapabilityData } from '../structures/capabilities.ts';
import type { Command } from './command.ts';
import { defineCommand } from './command.ts';

/** Parameters of TPM2_GetCapability. */
export interface GetCapabilityRequest {
  readonly capability: CapabilityKind;
  /** First property, handle, algorithm, command or curve to list. */
  readonly property: number;
  /** How many at most; the TPM may give fewer. */
  readonly propertyCount: number;
}

/** Answer of TPM2_GetCapability. */
export interface GetCapabilityResponse {
  /** True when there are more values after the last one given. */
  readonly moreData: boolean;
  readonly capabilityData: CapabilityData;
}

/** TPM2_GetCapability (Part 3, 30.2). */
export const getCapability: Command<GetCapabilityRequest, GetCapabilityResponse> = defineCommand({
  name: 'GetCapability',
  code: 0x17a,
  timeoutClass: 'metadata',
  write: (writer, request) =>
    void writer
      .u32(capabilityKinds.codeOf(request.capability, 'capability'), 'capability')
      .u32(request.property, 'property')
      .u32(request.propertyCount, 'propertyCount'),
  read: (reader) =>
    Object.freeze({ moreData: reader.yesNo('moreData'), capabilityData: readCapabilityData(reader) }),
});
