import type { Logger } from '@endorse/interface';
import type { TpmTrace } from '@endorse/security-tpm';
import type { Output } from './output.ts';

/** What `--verbose` hands to the packages: nothing without it. */
export interface Verbose {
  readonly logging: { readonly logger?: Logger };
  readonly tracing: { readonly onTrace?: (trace: TpmTrace) => void };
}

/** Prints log lines and TPM commands as diagnostics. Both are made without secrets. */
export function createVerbose(output: Output): Verbose {
  if (!output.verbose) return { logging: {}, tracing: {} };
  const print = (text: string): void => output.diagnostic(output.errorStyle('dim', text));
  return {
    logging: {
      logger: {
        log: (level, event, fields = {}) => print(`${level} ${event} ${JSON.stringify(fields)}`),
      },
    },
    tracing: {
      onTrace: ({ command, durationMs, responseCode, attempt }) => {
        const outcome =
          responseCode === 0 ? 'ok' : responseCode < 0 ? 'no response' : `0x${responseCode.toString(16)}`;
        const again = attempt > 1 ? ` attempt ${attempt}` : '';
        print(`TPM2_${command} ${outcome} ${durationMs.toFixed(1)} ms${again}`);
      },
    },
  };
}
