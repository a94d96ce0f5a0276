/**
 * The worker behind `tbs:`: the only file that loads a foreign-function module, and only on a thread of its own,
 * because a TPM command blocks for as long as the chip takes.
 *
 * Calls of tbs.h: Tbsi_GetDeviceInfo, Tbsi_Context_Create, Tbsip_Submit_Command, Tbsip_Cancel_Commands and
 * Tbsip_Context_Close. Submitting runs on the module's thread pool, so that a cancel can overtake it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { TbsLoadOptions, TbsReply, TbsRequest } from './tbs-messages.ts';

/** As much of koffi as this file uses. */
interface ForeignFunctionModule {
  load(library: string): { func(prototype: string): ForeignFunction };
}

type ForeignValue = Uint8Array | readonly unknown[] | number | bigint | object | null;

interface ForeignFunction {
  (...values: ForeignValue[]): number;
  async(...values: [...ForeignValue[], (error: unknown, result: number) => void]): void;
}

interface TbsCalls {
  readonly getDeviceInfo: ForeignFunction;
  readonly contextCreate: ForeignFunction;
  readonly submitCommand: ForeignFunction;
  readonly cancelCommands: ForeignFunction;
  readonly contextClose: ForeignFunction;
}

const maxResponseBytes = 4096;
const localityZero = 0;
const priorityNormal = 200;
const tpmVersion20 = 2;
/** TBS_CONTEXT_PARAMS2: version 2, includeTpm20. */
const contextParameters = new Uint8Array(new Uint32Array([2, 4]).buffer);
/** TBS_E_INTERNAL_ERROR, for a call that failed before it reached TBS. */
const internalError = 0x8028_4001;

const port = parentPort;
if (port === null) throw new Error('tbs-worker runs as a worker only');
const reply = (message: TbsReply): void => port.postMessage(message);

void openContext(workerData as TbsLoadOptions).then((opened) => {
  if (opened === undefined) return;
  const { calls, context } = opened;
  port.on('message', (request: TbsRequest) => serve(calls, context, request));
  reply({ type: 'opened' });
});

async function openContext(
  options: TbsLoadOptions,
): Promise<{ readonly calls: TbsCalls; readonly context: ForeignValue } | undefined> {
  const specifier: string = options.ffiModule ?? 'koffi';
  let ffi: ForeignFunctionModule;
  try {
    const loaded = (await import(specifier)) as { readonly default?: ForeignFunctionModule };
    ffi = loaded.default ?? (loaded as unknown as ForeignFunctionModule);
  } catch (error) {
    reply({ type: 'open-failed', reason: 'ffi', message: String(error) });
    return undefined;
  }
  let calls: TbsCalls;
  try {
    calls = bind(ffi, options.library ?? 'tbs.dll');
  } catch (error) {
    reply({ type: 'open-failed', reason: 'library', message: String(error) });
    return undefined;
  }
  // TPM_DEVICE_INFO: structVersion, tpmVersion, tpmInterfaceType, tpmImpRevision.
  const device = new Uint32Array(4);
  const infoStatus = calls.getDeviceInfo(device.byteLength, new Uint8Array(device.buffer)) >>> 0;
  if (infoStatus !== 0) {
    reply({ type: 'open-failed', reason: 'status', status: infoStatus });
    return undefined;
  }
  if (device[1] !== tpmVersion20) {
    reply({ type: 'open-failed', reason: 'version', message: `TPM version ${device[1]}` });
    return undefined;
  }
  const context: ForeignValue[] = [null];
  const status = calls.contextCreate(contextParameters, context) >>> 0;
  if (status !== 0) {
    reply({ type: 'open-failed', reason: 'status', status });
    return undefined;
  }
  return { calls, context: context[0] ?? null };
}

function bind(ffi: ForeignFunctionModule, library: string): TbsCalls {
  const tbs = ffi.load(library);
  return {
    getDeviceInfo: tbs.func('uint32_t __stdcall Tbsi_GetDeviceInfo(uint32_t size, _Out_ uint8_t *info)'),
    contextCreate: tbs.func(
      'uint32_t __stdcall Tbsi_Context_Create(const uint8_t *parameters, _Out_ void **context)',
    ),
    submitCommand: tbs.func(
      'uint32_t __stdcall Tbsip_Submit_Command(void *context, uint32_t locality, uint32_t priority, ' +
        'const uint8_t *command, uint32_t commandBytes, _Out_ uint8_t *result, _Inout_ uint32_t *resultBytes)',
    ),
    cancelCommands: tbs.func('uint32_t __stdcall Tbsip_Cancel_Commands(void *context)'),
    contextClose: tbs.func('uint32_t __stdcall Tbsip_Context_Close(void *context)'),
  };
}

function serve(calls: TbsCalls, context: ForeignValue, request: TbsRequest): void {
  const { id } = request;
  const answer = (status: number, response = new Uint8Array(0)): void =>
    reply({ type: 'answered', id, status: status >>> 0, response });
  switch (request.type) {
    case 'submit': {
      const { command } = request;
      const result = new Uint8Array(maxResponseBytes);
      const resultBytes = [maxResponseBytes];
      calls.submitCommand.async(
        ...[context, localityZero, priorityNormal, command, command.byteLength, result, resultBytes],
        (error: unknown, status: number) => {
          command.fill(0);
          if (error === null || error === undefined) answer(status, result.slice(0, resultBytes[0]));
          else answer(internalError);
          result.fill(0);
        },
      );
      return;
    }
    case 'cancel':
      answer(calls.cancelCommands(context));
      return;
    case 'close':
      answer(calls.contextClose(context));
      port?.close();
      return;
    default:
      unreachable(request);
  }
}

function unreachable(request: never): never {
  throw new Error(`unknown request ${JSON.stringify(request)}`);
}
