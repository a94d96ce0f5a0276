/** A request of tss.js as a command of our codec: what its sessions cover, and how its response is read. */
import { InvalidArgumentError, isEndorseError } from '@endorse/interface';
import { TpmDecodeError } from '@endorse/tpm2';
import type { Command, TimeoutClass } from '@endorse/tpm2';
import * as generated from './generated/tssjs.mjs';
import type { CmdStructure, ReqStructure, RespStructure } from './generated/TpmStructure.mjs';
import { TpmBuffer } from './tpm-buffer.ts';

/** A command that is ready to be executed; the request is inside. */
export interface TssCommand {
  /** For the executor; takes no request. */
  readonly command: Command<undefined, RespStructure | null>;
  /** The handles that need an authorization, in order. */
  readonly authHandles: readonly (generated.TPM_HANDLE | null)[];
  /** All handles, in order; null stands for TPM_RH_NULL. */
  readonly handles: readonly (generated.TPM_HANDLE | null)[];
}

type ResponseType = new () => RespStructure;

const keyGenerations: readonly string[] = ['Create', 'CreatePrimary', 'CreateLoaded'];
const tpm2bSizeBytes = 2;

/**
 * Encodes a request at once, so that a mistake shows where it was made.
 * Throws `ERR_LOCAL_UNENCODABLE` or `ERR_INVALID_ARGUMENT`.
 */
export function toCommand(code: number, request: ReqStructure): TssCommand {
  const name = commandName(request);
  const responseType = (generated as unknown as Record<string, ResponseType | undefined>)[`${name}Response`];
  const handles = request.getHandles() ?? [];
  const authHandleCount = request.numAuthHandles();
  const parameters = encodeParameters(name, request);
  return {
    handles,
    authHandles: handles.slice(0, authHandleCount),
    command: {
      name,
      code,
      handleCount: handles.length,
      authHandleCount,
      responseHandleCount: responseType === undefined ? 0 : new responseType().numHandles(),
      firstParameterIsTpm2b: startsWithTpm2b(request),
      firstResponseParameterIsTpm2b: responseType !== undefined && startsWithTpm2b(new responseType()),
      timeoutClass: timeoutClass(name),
      encodeHandles: () => handles.map((handle) => (handle ?? generated.TPM_HANDLE.NULL).handle >>> 0),
      // A copy: the executor zeroes what it encrypts.
      encodeParameters: () => Uint8Array.from(parameters),
      decodeResponse: (responseHandles, bytes) => decodeResponse(name, responseType, responseHandles, bytes),
    },
  };
}

/** `ReadPublic`, of TPM2_ReadPublic_REQUEST. */
function commandName(request: ReqStructure): string {
  return request.constructor.name.replace(/^TPM2_|_REQUEST$/g, '');
}

/** Key generation takes minutes on some chips; 30 seconds are far above anything else. */
function timeoutClass(name: string): TimeoutClass {
  return keyGenerations.includes(name) ? 'keyGeneration' : 'privateKey';
}

function startsWithTpm2b(structure: CmdStructure): boolean {
  const { sizeLen, valLen } = structure.sessEncInfo();
  return sizeLen === tpm2bSizeBytes && valLen === 1;
}

function encodeParameters(name: string, request: ReqStructure): Buffer {
  const buffer = new TpmBuffer();
  try {
    request.toTpm(buffer);
  } catch (error) {
    if (isEndorseError(error)) throw error;
    throw new InvalidArgumentError(`${name} request`, `has a field that is not set: ${String(error)}`);
  }
  return buffer.trim();
}

function decodeResponse(
  name: string,
  type: ResponseType | undefined,
  handles: readonly number[],
  parameters: Uint8Array,
): RespStructure | null {
  const buffer = new TpmBuffer(parameters);
  const response = type === undefined ? null : new type();
  const [handle] = handles;
  if (handle !== undefined) response?.setHandle(new generated.TPM_HANDLE(handle));
  try {
    response?.initFromTpm(buffer);
  } catch (cause) {
    if (cause instanceof TpmDecodeError) throw cause;
    throw new TpmDecodeError(`${name} response`, buffer.curPos, 'cannot be read', { cause });
  }
  if (buffer.curPos !== buffer.size) {
    throw new TpmDecodeError(
      `${name} response`,
      buffer.curPos,
      `has ${buffer.size - buffer.curPos} bytes left over`,
    );
  }
  return response;
}
