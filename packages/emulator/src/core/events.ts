import type { TwinPart } from '../hub/twin.ts';
import type { FaultCarrier, FaultEffect } from '../faults/fault-rule.ts';
import type { ServiceFault } from './fault.ts';

/** What happens in an emulator, noun first, with the emulator's time in milliseconds since 1970. Never holds a secret. */
export type EmulatorEvent = { readonly at: number } & (
  | { readonly event: 'enrollment-written'; readonly registrationId: string; readonly created: boolean }
  | { readonly event: 'enrollment-deleted'; readonly registrationId: string }
  | {
      readonly event: 'enrollment-group-written';
      readonly enrollmentGroupId: string;
      readonly created: boolean;
    }
  | { readonly event: 'enrollment-group-deleted'; readonly enrollmentGroupId: string }
  | {
      readonly event: 'challenge-issued';
      readonly registrationId: string;
      readonly activationBlobBytes: number;
    }
  | { readonly event: 'registration-started'; readonly registrationId: string; readonly operationId: string }
  | {
      readonly event: 'fault-injected';
      /** Name of the rule. */
      readonly rule: string;
      readonly kind: FaultEffect['kind'];
      readonly carrier: FaultCarrier;
      readonly operation: string;
      readonly subject?: string;
    }
  | {
      readonly event: 'web-hook-answered';
      readonly registrationId: string;
      readonly operationId: string;
      /** HTTP status of the answer. */
      readonly status?: number;
      /** Why there was no answer. */
      readonly reason?: string;
    }
  | {
      readonly event: 'device-assigned';
      readonly registrationId: string;
      readonly operationId: string;
      readonly assignedHub: string;
      readonly deviceId: string;
    }
  | {
      readonly event: 'registration-failed';
      readonly registrationId: string;
      readonly operationId: string;
      readonly errorCode: number;
      readonly message: string;
    }
  | {
      readonly event: 'telemetry-received';
      readonly hub: string;
      readonly deviceId: string;
      readonly bodyBytes: number;
    }
  | {
      readonly event: 'device-connected' | 'device-disconnected';
      readonly hub: string;
      readonly deviceId: string;
      readonly carrier: string;
    }
  | {
      readonly event: 'twin-patched';
      readonly hub: string;
      readonly deviceId: string;
      readonly part: TwinPart;
    }
  | ({
      readonly event: 'request-refused';
      /** What was asked for, for example `register` or `send-event`. */
      readonly operation: string;
      /** Registration id, enrollment group id or device id, where the request had a readable one. */
      readonly subject?: string;
    } & Pick<ServiceFault, 'status' | 'errorCode' | 'message' | 'reason'>)
);

/** An event before the emulator has stamped it with its time. */
export type EmulatorEventDetails = EmulatorEvent extends infer Event
  ? Event extends EmulatorEvent
    ? Omit<Event, 'at'>
    : never
  : never;
