import type { RegistrationProgress } from '@endorse/interface';
import type { Story } from './story.ts';

/** Tells a registration's progress in words. Steps inside the TPM are told by its own commands. */
export function describeProgress(progress: RegistrationProgress, story: Story): void {
  switch (progress.event) {
    case 'challenge-received':
      story.happened(
        'challenge received',
        `a key wrapped for this TPM, ${progress.activationBlobBytes} bytes`,
      );
      return;
    case 'key-activated':
      story.happened(
        'key activated',
        progress.purpose === 'hub' ? 'the hub key is in the TPM' : 'the challenge key is in the TPM',
      );
      return;
    case 'token-signed':
      story.happened('SAS token signed', `valid until ${new Date(progress.expiresAt).toISOString()}`);
      return;
    case 'operation-polled':
      story.happened(`status ${progress.status}`, `operation ${progress.operationId}`);
      return;
    case 'retry-scheduled':
      story.happened('retry', `attempt ${progress.attempt} after ${progress.code}`);
      return;
    case 'registration-started':
    case 'identity-read':
    case 'challenge-requested':
    case 'register-sent':
    case 'waiting':
    case 'registration-assigned':
    case 'registration-failed':
      return;
    default:
      progress satisfies never;
  }
}
