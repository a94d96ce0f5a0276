import type { AttestationKind } from './attestation.ts';
import type { RegistrationStatus } from './registration.ts';

/** What a running registration reports, noun first. Never holds a secret. */
export type RegistrationProgress = { readonly at: number } & (
  | {
      readonly event: 'registration-started';
      readonly attestation: AttestationKind;
      readonly carrier: string;
    }
  | { readonly event: 'identity-read'; readonly registrationId: string }
  | { readonly event: 'challenge-requested' }
  | { readonly event: 'challenge-received'; readonly activationBlobBytes: number }
  | { readonly event: 'key-activated'; readonly purpose: 'registration' | 'hub' }
  | { readonly event: 'token-signed'; readonly expiresAt: number }
  | { readonly event: 'register-sent'; readonly attempt: number }
  | { readonly event: 'operation-polled'; readonly operationId: string; readonly status: RegistrationStatus }
  | { readonly event: 'waiting'; readonly delayMs: number; readonly reason: 'assigning' | 'retry' }
  | { readonly event: 'retry-scheduled'; readonly attempt: number; readonly code: string }
  | { readonly event: 'registration-assigned'; readonly assignedHub: string; readonly deviceId: string }
  | { readonly event: 'registration-failed'; readonly code: string }
);

/** Receives progress; must return at once. An exception it throws is ignored. */
export type ProgressListener = (progress: RegistrationProgress) => void;
