import { maxDigestSize } from '../algorithms.ts';
import type { ByteReader } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';
import { emptyBytes } from '../bytes/bytes.ts';
import type { CreationData } from '../structures/creation-data.ts';
import { maxNameSize, readCreationData } from '../structures/creation-data.ts';
import type { PcrSelection } from '../structures/pcr-selection.ts';
import { writePcrSelections } from '../structures/pcr-selection.ts';
import type { PublicArea } from '../structures/public-area.ts';
import { encodeTpm2bPublic, readTpm2bPublic } from '../structures/public-area.ts';
import type { SensitiveCreate } from '../structures/sensitive.ts';
import { encodeTpm2bSensitiveCreate } from '../structures/sensitive.ts';
import type { Ticket } from '../structures/tickets.ts';
import { readTicket } from '../structures/tickets.ts';
import type { Command } from './command.ts';
import { defineCommand } from './command.ts';

/** What both commands that make a key take. */
export interface CreateParameters {
  /** Default: an empty authorization value and no data. */
  readonly inSensitive?: SensitiveCreate | undefined;
  /** Template of the key. */
  readonly inPublic: PublicArea;
  /** Data to bind into the creation data; default empty. */
  readonly outsideInfo?: Uint8Array | undefined;
  /** Registers to record in the creation data; default none. */
  readonly creationPcr?: readonly PcrSelection[] | undefined;
}

/** What both commands that make a key answer. */
export interface CreateResult {
  readonly outPublic: PublicArea;
  readonly creationData: CreationData;
  readonly creationHash: Uint8Array;
  readonly creationTicket: Ticket;
}

/** Parameters of TPM2_CreatePrimary. */
export interface CreatePrimaryRequest extends CreateParameters {
  /** Hierarchy of the key: `rh.owner`, `rh.endorsement`, `rh.platform` or `rh.null`. */
  readonly primaryHandle: number;
}

/** Answer of TPM2_CreatePrimary. */
export interface CreatePrimaryResponse extends CreateResult {
  /** Transient handle; flush it. */
  readonly objectHandle: number;
  readonly name: Uint8Array;
}

/** TPM2_CreatePrimary (Part 3, 24.1): the same template and hierarchy always give the same key. */
export const createPrimary: Command<CreatePrimaryRequest, CreatePrimaryResponse> = defineCommand({
  name: 'CreatePrimary',
  code: 0x131,
  timeoutClass: 'keyGeneration',
  handleCount: 1,
  authHandleCount: 1,
  responseHandleCount: 1,
  firstParameterIsTpm2b: true,
  firstResponseParameterIsTpm2b: true,
  handles: (request) => [request.primaryHandle],
  write: (writer, request) => writeParameters(writer, request),
  read: (reader, objectHandle) =>
    Object.freeze({ objectHandle, ...readResult(reader), name: reader.sized('name', maxNameSize) }),
});

/** Parameters of TPM2_Create. */
export interface CreateRequest extends CreateParameters {
  readonly parentHandle: number;
}

/** Answer of TPM2_Create. */
export interface CreateResponse extends CreateResult {
  /** Inner bytes of TPM2B_PRIVATE, to give to Load. */
  readonly outPrivate: Uint8Array;
}

/** TPM2_Create (Part 3, 12.1). */
export const create: Command<CreateRequest, CreateResponse> = defineCommand({
  name: 'Create',
  code: 0x153,
  timeoutClass: 'keyGeneration',
  handleCount: 1,
  authHandleCount: 1,
  firstParameterIsTpm2b: true,
  firstResponseParameterIsTpm2b: true,
  handles: (request) => [request.parentHandle],
  write: (writer, request) => writeParameters(writer, request),
  read: (reader) => Object.freeze({ outPrivate: reader.sized('outPrivate'), ...readResult(reader) }),
});

function writeParameters(writer: ByteWriter, request: CreateParameters): void {
  const { inSensitive = { userAuth: emptyBytes, data: emptyBytes } } = request;
  writer
    .bytes(encodeTpm2bSensitiveCreate(inSensitive, 'inSensitive'), 'inSensitive')
    .bytes(encodeTpm2bPublic(request.inPublic), 'inPublic')
    .sized(request.outsideInfo ?? emptyBytes, 'outsideInfo');
  writePcrSelections(writer, request.creationPcr ?? [], 'creationPcr');
}

function readResult(reader: ByteReader): CreateResult {
  return {
    outPublic: readTpm2bPublic(reader),
    creationData: reader.sizedStructure('creationData', 'TPMS_CREATION_DATA', readCreationData),
    creationHash: reader.sized('creationHash', maxDigestSize),
    creationTicket: readTicket(reader, 'creationTicket', ['creation']),
  };
}
