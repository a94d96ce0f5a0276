import type { ProgressListener, RegistrationProgress } from '@endorse/interface';
import type { Output } from './output.ts';

/** Shows the progress of a registration: as JSON lines, or as one line a step with the time since the start. */
export function createRegistrationReporter(output: Output): { readonly onProgress: ProgressListener } {
  let startedAt: number | undefined;
  return {
    onProgress: (progress) => {
      startedAt ??= progress.at;
      output.event(progress);
      const elapsed = `${((progress.at - startedAt) / 1000).toFixed(1)} s`.padStart(8);
      output.progress(
        `${output.errorStyle('dim', elapsed)}  ${markOf(progress, output)} ${describeProgress(progress)}`,
      );
    },
  };
}

function markOf(progress: RegistrationProgress, { errorStyle }: Output): string {
  switch (progress.event) {
    case 'registration-assigned':
      return errorStyle('green', '✓');
    case 'registration-failed':
      return errorStyle('red', '✗');
    case 'retry-scheduled':
      return errorStyle('yellow', '!');
    default:
      return errorStyle('cyan', '→');
  }
}

/** One line for a person. */
export function describeProgress(progress: RegistrationProgress): string {
  switch (progress.event) {
    case 'registration-started':
      return `registering over ${progress.carrier}, identity: ${progress.attestation}`;
    case 'identity-read':
      return `registration id ${progress.registrationId}`;
    case 'challenge-requested':
      return 'asking for a challenge';
    case 'challenge-received':
      return `challenge received: a key wrapped for this TPM, ${progress.activationBlobBytes} bytes`;
    case 'key-activated':
      return progress.purpose === 'hub' ? 'hub key loaded into the TPM' : 'challenge key loaded into the TPM';
    case 'token-signed':
      return `token signed, valid until ${new Date(progress.expiresAt).toISOString()}`;
    case 'register-sent':
      return progress.attempt === 1
        ? 'register request sent'
        : `register request sent, attempt ${progress.attempt}`;
    case 'operation-polled':
      return `status ${progress.status}`;
    case 'waiting':
      return `waiting ${(progress.delayMs / 1000).toFixed(1)} s`;
    case 'retry-scheduled':
      return `trying again after ${progress.code}`;
    case 'registration-assigned':
      return `assigned to ${progress.assignedHub} as ${progress.deviceId}`;
    case 'registration-failed':
      return `failed: ${progress.code}`;
    default:
      return progress satisfies never;
  }
}
