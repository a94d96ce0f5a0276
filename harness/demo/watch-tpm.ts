import type { TpmTrace, TpmTraceListener } from '@endorse/security-tpm';
import { decodeResponseCode } from '@endorse/tpm2';
import type { DemoSink } from './events.ts';

/** What the TPMs of the demo have done so far. */
export interface TpmTotals {
  readonly commands: number;
  readonly durationMs: number;
}

/** Watches TPM commands: reports each one and adds them up. */
export interface TpmWatch {
  readonly onTrace: TpmTraceListener;
  totals(): TpmTotals;
}

/** Makes a watch that reports to `emit`. */
export function watchTpm(emit: DemoSink): TpmWatch {
  let totals: TpmTotals = { commands: 0, durationMs: 0 };
  return {
    totals: () => totals,
    onTrace: (trace: TpmTrace) => {
      totals = { commands: totals.commands + 1, durationMs: totals.durationMs + trace.durationMs };
      emit({
        event: 'tpm-command',
        command: trace.command,
        durationMs: trace.durationMs,
        responseCode: trace.responseCode === 0 ? 'SUCCESS' : nameOf(trace.responseCode),
      });
    },
  };
}

function nameOf(responseCode: number): string {
  return responseCode < 0 ? 'no response' : decodeResponseCode(responseCode).name;
}
