/**
 * `npm run demo`: a device with a TPM gets its identity, step by step, on this machine.
 *
 * Exit codes: 0 everything went as told, 1 something did not, 2 usage error, 130 interrupted.
 */
import { parseArgs } from 'node:util';
import { isEndorseError } from '@endorse/interface';
import type { DemoSink } from './events.ts';
import { createJsonSink, createTextSink } from './render-text.ts';
import { runTpmScenario } from './tpm-scenario.ts';

const usage = `Usage: npm run demo -- [--transport http] [--attestation tpm] [--json]

Starts a TPM simulator and the emulated provisioning service, enrolls the device,
registers it, sends telemetry with a key that never leaves the TPM, then shows what
happens to a tampered challenge and to another TPM.

  --transport http     carrier of the registration
  --attestation tpm    how the device proves itself
  --json               one JSON object a line instead of text
  --help               this text
`;

const deadlineMs = 60_000;

async function main(): Promise<number> {
  const parsed = parseUsage();
  if (typeof parsed === 'number') return parsed;
  const sink: DemoSink = parsed.json
    ? createJsonSink(process.stdout)
    : createTextSink(process.stdout, { color: process.stdout.isTTY && !process.env['NO_COLOR'] });

  const interrupted = new AbortController();
  const onSignal = (): void => interrupted.abort(new Error('interrupted'));
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  const startedAt = performance.now();
  try {
    await runTpmScenario({
      emit: sink,
      signal: AbortSignal.any([interrupted.signal, AbortSignal.timeout(deadlineMs)]),
    });
    sink({ event: 'done', ok: true, wallMs: performance.now() - startedAt });
    return 0;
  } catch (error) {
    report(sink, error);
    sink({ event: 'done', ok: false, wallMs: performance.now() - startedAt });
    return interrupted.signal.aborted ? 130 : 1;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

function parseUsage(): number | { readonly json: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        transport: { type: 'string', default: 'http' },
        attestation: { type: 'string', default: 'tpm' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      return 0;
    }
    requireOneOf('--transport', values.transport, ['http']);
    requireOneOf('--attestation', values.attestation, ['tpm']);
    return { json: values.json };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
}

function requireOneOf(flag: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) {
    throw new TypeError(`${flag} is ${value}, but it must be one of: ${allowed.join(', ')}`);
  }
}

function report(sink: DemoSink, error: unknown): void {
  const known = isEndorseError(error) ? error : undefined;
  const remedy = known !== undefined && 'remedy' in known ? known.remedy : undefined;
  sink({
    event: 'error',
    code: known?.code ?? 'ERR_DEMO',
    message: error instanceof Error ? error.message : String(error),
    ...(remedy === undefined ? {} : { remedy }),
  });
}

process.exitCode = await main();
