import { styleText } from 'node:util';
import { renderPlan, renderReport } from '@endorse/provisioning-utility';
import type { DemoEvent, DemoSink } from './events.ts';

/** What the text is written to; `process.stdout` fits. */
export interface TextOutput {
  write(text: string): unknown;
}

/** Renders the demo for a person: numbered steps, the wire and the TPM side by side, times on the right. */
export function createTextSink(output: TextOutput, options: { readonly color: boolean }): DemoSink {
  const style = (format: Parameters<typeof styleText>[0], text: string): string =>
    options.color ? styleText(format, text, { validateStream: false }) : text;
  const line = (text: string): void => {
    output.write(`${text}\n`);
  };
  const block = (text: string): void => {
    for (const each of text.trimEnd().split('\n')) line(`   ${each}`.trimEnd());
  };
  const row = (mark: string, name: string, detail: string, durationMs?: number): void => {
    const time = durationMs === undefined ? '' : style('dim', formatMs(durationMs));
    line(`   ${mark} ${name.padEnd(26)} ${detail.padEnd(58)} ${time}`.trimEnd());
  };

  return (event: DemoEvent): void => {
    switch (event.event) {
      case 'step':
        line(`\n${style('bold', ` ${event.step}  ${event.title}`)}  ${style('dim', event.detail)}`);
        return;
      case 'fact':
        row(' ', event.name, event.value);
        return;
      case 'tpm-command': {
        const [format, outcome] = describeOutcome(event.command, event.responseCode);
        // Padded before it is styled: control sequences take no room on the screen.
        row(
          style('magenta', '■'),
          `TPM2_${event.command}`,
          style(format, outcome.padEnd(58)),
          event.durationMs,
        );
        return;
      }
      case 'progress':
        row(style('cyan', '→'), event.name, event.detail, event.durationMs);
        return;
      case 'assigned':
        row(style('green', '✓'), 'assigned', `${event.deviceId} on ${event.assignedHub}`, event.wallMs);
        if (event.tpmCommands !== undefined && event.tpmMs !== undefined) {
          row(' ', '', `${event.tpmCommands} TPM commands took ${formatMs(event.tpmMs).trim()} of that`);
        }
        return;
      case 'telemetry':
        row(
          style('green', '✓'),
          'hub accepted',
          `${event.status === undefined ? 'PUBACK' : `HTTP ${event.status}`} for device ${event.deviceId}`,
          event.durationMs,
        );
        return;
      case 'refused':
        row(style('yellow', '✗'), 'refused', `${event.code}: ${event.reason}`);
        return;
      case 'plan':
        block(renderPlan(event.plan, 'table'));
        return;
      case 'report':
        block(renderReport(event.report, 'table'));
        return;
      case 'done':
        line(
          `\n ${event.ok ? style('green', 'Done') : style('red', 'Failed')} in ${formatMs(event.wallMs).trim()}. Nothing is left running.`,
        );
        return;
      case 'error':
        line(`\n ${style('red', event.code)} ${event.message}`);
        if (event.remedy !== undefined) line(`   ${event.remedy}`);
        return;
      default:
        event satisfies never;
    }
  };
}

/** Renders each event as one JSON line. */
export function createJsonSink(output: TextOutput): DemoSink {
  return (event) => {
    output.write(`${JSON.stringify(event)}\n`);
  };
}

function describeOutcome(command: string, responseCode: string): ['dim' | 'red', string] {
  if (responseCode === 'SUCCESS') return ['dim', ''];
  // Looking for something that may be absent is how the client finds out what to create.
  const isLookup = command.endsWith('ReadPublic') && responseCode === 'HANDLE';
  return isLookup ? ['dim', 'nothing there yet'] : ['red', `TPM_RC_${responseCode}`];
}

function formatMs(durationMs: number): string {
  return `${durationMs < 10 ? durationMs.toFixed(1) : Math.round(durationMs)} ms`.padStart(9);
}
