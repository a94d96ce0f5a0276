import { maxNameSize } from '../structures/creation-data.ts';
import type { PublicArea } from '../structures/public-area.ts';
import { readTpm2bPublic } from '../structures/public-area.ts';
import type { Command } from './command.ts';
import { defineCommand } from './command.ts';

/** Parameters of TPM2_ReadPublic. */
export interface ReadPublicRequest {
  readonly objectHandle: number;
}

/** Answer of TPM2_ReadPublic. Unauthenticated: recompute the Name, and compare it with one you trust. */
export interface ReadPublicResponse {
  readonly outPublic: PublicArea;
  readonly name: Uint8Array;
  readonly qualifiedName: Uint8Array;
}

/** TPM2_ReadPublic (Part 3, 12.4). */
export const readPublic: Command<ReadPublicRequest, ReadPublicResponse> = defineCommand({
  name: 'ReadPublic',
  code: 0x173,
  timeoutClass: 'metadata',
  handleCount: 1,
  firstResponseParameterIsTpm2b: true,
  handles: (request) => [request.objectHandle],
  read: (reader) =>
    Object.freeze({
      outPublic: readTpm2bPublic(reader),
      name: reader.sized('name', maxNameSize),
      qualifiedName: reader.sized('qualifiedName', maxNameSize),
    }),
});
