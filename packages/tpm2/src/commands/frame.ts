/**
 * Command and response frames (Part 1, 18): header, handles, authorization area, parameters.
 *
 * The tag says whether there is an authorization area. A command's area has a size in front; a response's has none, it
 * stands after the parameters, whose size is given instead. An error response is a bare header.
 */
import { InvalidArgumentError } from '@endorse/interface';
import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import type { AuthorizationCommand, AuthorizationResponse } from '../structures/authorization.ts';
import { readAuthorizationResponse, writeAuthorization } from '../structures/authorization.ts';
import { TpmError } from '../tpm-error.ts';
import type { Command, CommandInfo } from './command.ts';

/** The parts of a command frame. */
export interface CommandFrame {
  readonly commandCode: number;
  readonly handles: readonly number[];
  /** At most 3; none makes a frame without sessions. */
  readonly authorizations: readonly AuthorizationCommand[];
  /** The parameter area as it is sent: encrypted, where a session does that. */
  readonly parameters: Uint8Array;
}

/** The parts of a successful response. */
export interface ResponseFrame {
  readonly handles: readonly number[];
  /** The parameter area as it came: encrypted, where a session does that. */
  readonly parameters: Uint8Array;
  readonly authorizations: readonly AuthorizationResponse[];
}

const tagNoSessions = 0x8001;
const tagSessions = 0x8002;
/** The tag a TPM 1.2 answers with, and a TPM 2.0 that does not know the command's tag. */
const tagTpm12Response = 0x00c4;
const headerSize = 10;
const maxSessions = 3;

/**
 * Encodes a whole command from its request, with clear parameters.
 * Throws `ERR_INVALID_ARGUMENT` when handles that need an authorization have none, or more than 3 are given, and
 * whatever `encodeParameters` throws.
 */
export function encodeCommand<Request>(
  command: Command<Request, unknown>,
  request: Request,
  authorizations: readonly AuthorizationCommand[] = [],
): Uint8Array {
  if (authorizations.length < command.authHandleCount) {
    throw new InvalidArgumentError(
      'authorizations',
      `must have at least ${command.authHandleCount} entries for ${command.name}`,
    );
  }
  return encodeCommandFrame({
    commandCode: command.code,
    handles: command.encodeHandles(request),
    authorizations,
    parameters: command.encodeParameters(request),
  });
}

/** Encodes a command from its parts. Throws `ERR_INVALID_ARGUMENT` for more than 3 authorizations. */
export function encodeCommandFrame(frame: CommandFrame): Uint8Array {
  const { authorizations } = frame;
  if (authorizations.length > maxSessions) {
    throw new InvalidArgumentError('authorizations', `must have at most ${maxSessions} entries`);
  }
  const body = new ByteWriter();
  for (const handle of frame.handles) body.u32(handle, 'handles');
  if (authorizations.length > 0) {
    const area = new ByteWriter();
    authorizations.forEach((entry, index) => writeAuthorization(area, entry, `authorizations[${index}]`));
    const bytes = area.finish();
    body.u32(bytes.byteLength, 'authorizations').bytes(bytes, 'authorizations');
  }
  body.bytes(frame.parameters, 'parameters');
  const bytes = body.finish();
  return new ByteWriter()
    .u16(authorizations.length > 0 ? tagSessions : tagNoSessions, 'tag')
    .u32(headerSize + bytes.byteLength, 'commandSize')
    .u32(frame.commandCode, 'commandCode')
    .bytes(bytes, 'body')
    .finish();
}

/**
 * Decodes a response to `command`, which was sent with `sessionCount` authorizations (0 to 3).
 * Throws {@link TpmError} for a response code other than success, `ERR_TPM_MALFORMED` for anything that is not exactly
 * one well-formed response with as many authorizations.
 */
export function decodeResponse(command: CommandInfo, bytes: Uint8Array, sessionCount: number): ResponseFrame {
  const structure = `${command.name} response`;
  const reader = new ByteReader(bytes, structure);
  const tag = reader.u16('tag');
  const size = reader.u32('responseSize');
  if (size !== bytes.byteLength) {
    reader.fail('responseSize', `is ${size}, but ${bytes.byteLength} bytes came`, 4);
  }
  const responseCode = reader.u32('responseCode');
  if (responseCode !== 0) {
    if (tag !== tagNoSessions && !(tag === tagTpm12Response && responseCode === 0x1e)) failTag(reader, tag);
    reader.end();
    throw new TpmError(command.name, responseCode);
  }
  if (tag !== (sessionCount > 0 ? tagSessions : tagNoSessions)) failTag(reader, tag);
  const handles = Array.from({ length: command.responseHandleCount }, () => reader.u32('handle'));
  if (sessionCount === 0) {
    return Object.freeze({ handles, parameters: reader.rest(), authorizations: [] });
  }
  const parameterSize = reader.u32('parameterSize');
  const parameters = reader.bytes(parameterSize, 'parameters');
  const authorizations = Array.from({ length: sessionCount }, (_, index) =>
    readAuthorizationResponse(reader, `authorizations[${index}]`),
  );
  reader.end();
  return Object.freeze({ handles, parameters, authorizations });
}

/**
 * The response code of a response, whatever else is in it; undefined when there are not even ten bytes.
 * For executors that decide about sending again before they decode.
 */
export function peekResponseCode(bytes: Uint8Array): number | undefined {
  if (bytes.byteLength < headerSize) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(6);
}

function failTag(reader: ByteReader, tag: number): never {
  return reader.fail('tag', `is 0x${tag.toString(16).padStart(4, '0')}, not the one expected`);
}
