import type { ProvisioningPlan, ProvisioningReport } from '@endorse/provisioning-utility';

/** What the demo reports, one object an event; `--json` prints them as lines. */
export type DemoEvent =
  | { readonly event: 'step'; readonly step: number; readonly title: string; readonly detail: string }
  | { readonly event: 'fact'; readonly name: string; readonly value: string }
  | {
      readonly event: 'tpm-command';
      readonly command: string;
      readonly durationMs: number;
      readonly responseCode: string;
    }
  | {
      readonly event: 'progress';
      readonly name: string;
      readonly detail: string;
      readonly durationMs: number;
    }
  | {
      readonly event: 'assigned';
      readonly assignedHub: string;
      readonly deviceId: string;
      readonly registrationId: string;
      readonly wallMs: number;
      /** Only of a device with a TPM. */
      readonly tpmMs?: number;
      /** Only of a device with a TPM. */
      readonly tpmCommands?: number;
    }
  | {
      readonly event: 'telemetry';
      readonly deviceId: string;
      /** Of HTTP; MQTT acknowledges without one. */
      readonly status?: number;
      readonly durationMs: number;
    }
  | { readonly event: 'refused'; readonly scenario: string; readonly code: string; readonly reason: string }
  | { readonly event: 'plan'; readonly plan: ProvisioningPlan }
  | { readonly event: 'report'; readonly report: ProvisioningReport }
  | { readonly event: 'done'; readonly ok: boolean; readonly wallMs: number }
  | { readonly event: 'error'; readonly code: string; readonly message: string; readonly remedy?: string };

/** Receives the events in order. */
export type DemoSink = (event: DemoEvent) => void;
