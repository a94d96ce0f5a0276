import type { Emulator } from '@endorse/emulator';
import type { HubTokenProvider, ProgressListener, RegistrationResult, Transport } from '@endorse/interface';
import { register } from '@endorse/registration-core';
import { createHubTokenProvider, createTpmSecurityClient } from '@endorse/security-tpm';
import type { TpmSecurityClientHandle } from '@endorse/security-tpm';
import { createHttpTransport } from '@endorse/transport-http';

/** What {@link provisionDevice} needs, and what a test may want otherwise. */
export interface ProvisionDeviceOptions {
  /** The service, as `startEmulator` hands it over. */
  readonly emulator: Pick<Emulator, 'provisioningHost' | 'idScope' | 'caPem' | 'createTpmEnrollment'>;
  /** The device's TPM, as `startTpmSimulator` hands it over. No other client may be open. */
  readonly simulator: { readonly address: string };
  /** Carrier; default HTTPS that trusts the emulator. */
  readonly transport?: Transport | undefined;
  /** Default derived from the endorsement key. */
  readonly registrationId?: string | undefined;
  /** False when the device is enrolled already; default true. */
  readonly enroll?: boolean | undefined;
  /** Longest duration of the registration, in milliseconds; default 30,000. */
  readonly deadlineMs?: number | undefined;
  /** Aborts; the promise then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** Hears of every step of the registration. */
  readonly onProgress?: ProgressListener | undefined;
}

/** A device that has its hub; disposing of it closes its TPM, not the simulator. */
export interface HarnessDevice extends AsyncDisposable {
  readonly registrationId: string;
  /** The service's answer: hub, device id, payload. */
  readonly result: RegistrationResult;
  /** The device's identity; its key for the hub is in the TPM. */
  readonly securityClient: TpmSecurityClientHandle;
  /** Makes tokens for the hub, signed inside the TPM. */
  readonly hubTokens: HubTokenProvider;
  /** Closes the TPM; harmless when repeated. */
  close(): Promise<void>;
}

const defaultDeadlineMs = 30_000;

/**
 * Does what a factory and a device do: enrolls the TPM at the emulator and registers with it.
 *
 * Rejects as `createTpmSecurityClient` and `register` do; the TPM is closed then.
 */
export async function provisionDevice(options: ProvisionDeviceOptions): Promise<HarnessDevice> {
  const { emulator, simulator, registrationId, signal, onProgress } = options;
  const securityClient = await createTpmSecurityClient({ tpm: simulator.address, registrationId, signal });
  try {
    const ownId = await securityClient.getRegistrationId({ signal });
    if (options.enroll ?? true) {
      const endorsementKey = await securityClient.getEndorsementKey({ signal });
      await emulator.createTpmEnrollment({ registrationId: ownId, endorsementKey });
    }
    const result = await register({
      provisioningHost: emulator.provisioningHost,
      idScope: emulator.idScope,
      transport: options.transport ?? createHttpTransport({ ca: emulator.caPem }),
      securityClient,
      deadlineMs: options.deadlineMs ?? defaultDeadlineMs,
      signal,
      onProgress,
    });
    const { assignedHub: hubHost, deviceId } = result;
    return {
      registrationId: ownId,
      result,
      securityClient,
      hubTokens: createHubTokenProvider({ securityClient, hubHost, deviceId }),
      close: () => securityClient.close(),
      [Symbol.asyncDispose]: () => securityClient.close(),
    };
  } catch (error) {
    await securityClient.close();
    throw error;
  }
}
