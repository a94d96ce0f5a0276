import type { Command, NoFields } from './command.ts';
import { defineCommand, readNothing } from './command.ts';

/** Parameters of TPM2_SelfTest. */
export interface SelfTestRequest {
  /** True tests everything, false what was not tested yet. */
  readonly fullTest: boolean;
}

/** TPM2_SelfTest (Part 3, 10.2). */
export const selfTest: Command<SelfTestRequest, NoFields> = defineCommand({
  name: 'SelfTest',
  code: 0x143,
  timeoutClass: 'selfTest',
  write: (writer, request) => void writer.yesNo(request.fullTest, 'fullTest'),
  read: readNothing,
});

/** Answer of TPM2_GetTestResult. */
export interface GetTestResultResponse {
  /** What the maker has to say about a failure. */
  readonly outData: Uint8Array;
  /** Response code: 0 when all is well, `TESTING`, `NEEDS_TEST` or `FAILURE` otherwise. */
  readonly testResult: number;
}

/** TPM2_GetTestResult (Part 3, 10.4): answers even in failure mode. */
export const getTestResult: Command<NoFields, GetTestResultResponse> = defineCommand({
  name: 'GetTestResult',
  code: 0x17c,
  timeoutClass: 'metadata',
  firstResponseParameterIsTpm2b: true,
  read: (reader) => Object.freeze({ outData: reader.sized('outData'), testResult: reader.u32('testResult') }),
});
