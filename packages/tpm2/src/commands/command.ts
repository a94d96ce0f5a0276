import { TpmDecodeError } from '../errors.ts';
import type { ByteReader } from '../bytes/byte-reader.ts';
import { readExactly } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';

/**
 * How long a command may take, by the work it does: `metadata` reads state, `session` starts sessions, policies and
 * HMACs, `privateKey` runs an RSA or ECC private operation, `nv` writes NV memory, `keyGeneration` searches primes
 * (minutes on some chips), `selfTest` tests the TPM. Proposed limits: 5, 10, 30, 30, 300 and 30 seconds.
 */
export type TimeoutClass = 'metadata' | 'session' | 'privateKey' | 'nv' | 'keyGeneration' | 'selfTest';

/** A request or response without any field. */
export type NoFields = Readonly<Record<string, never>>;

/** What is fixed about a command, whatever its parameters. */
export interface CommandInfo {
  /** Name without `TPM2_`, spelled as in Part 3, for example `ActivateCredential`. */
  readonly name: string;
  /** TPM_CC (Part 2, 6.5.2). */
  readonly code: number;
  /** Handles of the command. */
  readonly handleCount: number;
  /** How many of them, from the first, need an authorization. */
  readonly authHandleCount: number;
  /** Handles of the response: 0 or 1. */
  readonly responseHandleCount: number;
  /** True when a session may encrypt the first parameter of the command. */
  readonly firstParameterIsTpm2b: boolean;
  /** True when a session may encrypt the first parameter of the response. */
  readonly firstResponseParameterIsTpm2b: boolean;
  readonly timeoutClass: TimeoutClass;
}

/** One TPM command: its data both ways. Sessions are the executor's business. */
export interface Command<Request, Response> extends CommandInfo {
  /** The handles of the command, in order. */
  encodeHandles(request: Request): number[];
  /** The parameter area, in clear. Throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
  encodeParameters(request: Request): Uint8Array;
  /** Decodes a successful response, in clear. Throws `ERR_TPM_MALFORMED`. */
  decodeResponse(handles: readonly number[], parameters: Uint8Array): Response;
}

/** The request of a command, for example `RequestOf<typeof commands.ReadPublic>`. */
export type RequestOf<C> = C extends Command<infer Request, infer _Response> ? Request : never;

/** The response of a command. */
export type ResponseOf<C> = C extends Command<infer _Request, infer Response> ? Response : never;

/** What {@link defineCommand} takes; counts default to 0, flags to false. */
export interface CommandDefinition<Request, Response> {
  readonly name: string;
  readonly code: number;
  readonly timeoutClass: TimeoutClass;
  readonly handles?: (request: Request) => number[];
  readonly handleCount?: number;
  readonly authHandleCount?: number;
  readonly responseHandleCount?: number;
  readonly firstParameterIsTpm2b?: boolean;
  readonly firstResponseParameterIsTpm2b?: boolean;
  readonly write?: (writer: ByteWriter, request: Request) => void;
  readonly read: (reader: ByteReader, handle: number) => Response;
}

/** Makes a command from its definition. */
export function defineCommand<Request, Response>(
  definition: CommandDefinition<Request, Response>,
): Command<Request, Response> {
  const { name, code, timeoutClass, handles, write, read } = definition;
  const { responseHandleCount = 0 } = definition;
  return Object.freeze({
    name,
    code,
    timeoutClass,
    handleCount: definition.handleCount ?? 0,
    authHandleCount: definition.authHandleCount ?? 0,
    responseHandleCount,
    firstParameterIsTpm2b: definition.firstParameterIsTpm2b ?? false,
    firstResponseParameterIsTpm2b: definition.firstResponseParameterIsTpm2b ?? false,
    encodeHandles: (request: Request) => handles?.(request) ?? [],
    encodeParameters: (request: Request) => {
      const writer = new ByteWriter();
      write?.(writer, request);
      return writer.finish();
    },
    decodeResponse: (responseHandles: readonly number[], parameters: Uint8Array) => {
      if (responseHandles.length !== responseHandleCount) {
        throw new TpmDecodeError(`${name} response.handles`, 0, `are not ${responseHandleCount}`);
      }
      return readExactly(parameters, `${name} response`, (reader) => read(reader, responseHandles[0] ?? 0));
    },
  });
}

const noFields: NoFields = Object.freeze({});

/** Reads a response without parameters. */
export function readNothing(): NoFields {
  return noFields;
}
