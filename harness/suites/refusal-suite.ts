/** What can be wrong between a device and its service, over real TLS and a real TPM: how each case is tried. */
import { isEndorseError } from '@endorse/interface';
import type { Transport } from '@endorse/interface';
import { register } from '@endorse/registration-core';
import type { RegisterOptions } from '@endorse/registration-core';
import { createHttpTransport } from '@endorse/transport-http';
import { expect, test } from 'vitest';
import type { TpmDevice } from './device-fixture.ts';
import { openSockets } from './device-fixture.ts';

/** A device whose service misbehaves, and the code the device must see. */
export interface Refusal<Device extends TpmDevice = TpmDevice> {
  readonly title: string;
  readonly code: string | RegExp;
  /** Makes the difference to a good registration. */
  arrange(device: Device, resources: AsyncDisposableStack): Promise<Partial<RegisterOptions>>;
}

/** Each case ends in one typed error, and leaves the TPM as it was and no socket open. */
export function refusalSuite<Device extends TpmDevice>(
  refusals: readonly Refusal<Device>[],
  start: () => Promise<Device>,
): void {
  for (const { title, code, arrange } of refusals) {
    test(`refused once, with its code, leaving nothing behind: ${title}`, async () => {
      await using device = await start();
      const held = await device.heldBesideIdentityKey();
      const sockets = openSockets();
      {
        await using resources = new AsyncDisposableStack();
        const error = await registerWith(device, await arrange(device, resources)).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(isEndorseError(error), String(error)).toBe(true);
        expect((error as { code: string }).code).toMatch(code);
      }
      expect(await device.heldBesideIdentityKey()).toEqual(held);
      expect(openSockets()).toBeLessThanOrEqual(sockets);
    });
  }
}

/** Registers the device over HTTPS; the options are what differs from a good registration. */
export async function registerWith(device: TpmDevice, options: Partial<RegisterOptions>): Promise<unknown> {
  const securityClient = await device.openTpm();
  try {
    return await register({
      provisioningHost: device.service.provisioningHost,
      idScope: device.service.idScope,
      transport: transportOf(device),
      securityClient,
      deadlineMs: 20_000,
      retry: { baseDelayMs: 1 },
      ...options,
    });
  } finally {
    await securityClient.close();
  }
}

/** The transport of a good registration. */
export function transportOf(device: TpmDevice): Transport {
  return createHttpTransport({ ca: device.service.caPem });
}
