/**
 * The soak, behind a flag: `ENDORSE_SOAK=5000` registrations of 50 devices over mixed carriers, one in twenty with a
 * fault of the network; memory stays flat. Without the flag a short run shows that the soak itself works.
 */
import { writeSync } from 'node:fs';
import { startEmulator } from '@endorse/emulator';
import { register } from '@endorse/registration-core';
import { createSymmetricKeySecurityClient } from '@endorse/security-symmetric-key';
import { expect, test } from 'vitest';
import { carriers } from '../support/carriers.ts';
import { directions, makeNetworkFault, networkFaultKinds } from '../support/faults/fault-case.ts';
import { seededNumbers } from '../support/faults/fault-cases.ts';
import { startNetworkProxy } from '../support/faults/network-proxy.ts';

const registrations = Number(process.env['ENDORSE_SOAK'] ?? 100);
const seed = Number(process.env['ENDORSE_FAULT_SEED'] ?? Date.now() % 1_000_000);
const devices = 50;
const atOnce = 4;
const faultShare = 0.05;
/** Growth of the heap from the second quarter to the last that passes for noise. */
const noiseMiB = 16;

test(
  `${registrations} registrations of ${devices} devices, some disturbed`,
  { timeout: 3_600_000 },
  async () => {
    await using resources = new AsyncDisposableStack();
    const next = seededNumbers(seed);
    const emulator = resources.use(await startEmulator({ maxTelemetryMessages: 1 }));
    const group = await emulator.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'soak' });
    const ways = await Promise.all(
      carriers.map(async (carrier) => {
        const { port } = new URL(carrier.endpoint(emulator));
        const proxy = resources.use(await startNetworkProxy(Number(port)));
        return { proxy, transport: carrier.create(emulator.caPem) };
      }),
    );
    const heapMiB: number[] = [];
    let succeeded = 0;
    let disturbed = 0;
    const queue = Array.from({ length: registrations }, (_, index) => index).values();
    const work = async (): Promise<void> => {
      for (const index of queue) {
        const way = ways[index % ways.length];
        if (way === undefined) throw new Error('there is no carrier');
        const { proxy, transport } = way;
        if (next() < faultShare) {
          disturbed += 1;
          const kind = networkFaultKinds[Math.floor(next() * networkFaultKinds.length)] ?? 'reset';
          const direction = directions[Math.floor(next() * directions.length)] ?? 'to-device';
          proxy.arm({ fault: makeNetworkFault(kind, next()), direction });
        }
        await using securityClient = createSymmetricKeySecurityClient({
          registrationId: `soak-${index % devices}`,
          groupKey: group.primaryKey,
        });
        const outcome = await register({
          provisioningHost: `localhost:${proxy.port}`,
          idScope: emulator.idScope,
          transport,
          securityClient,
          deadlineMs: 20_000,
          stepTimeoutMs: 1_000,
          retry: { maxRetries: 4, baseDelayMs: 1, pollDelayMs: 1 },
        }).then(
          () => true,
          () => false,
        );
        if (outcome) succeeded += 1;
        if (index % Math.ceil(registrations / 40) === 0) {
          globalThis.gc?.();
          heapMiB.push(process.memoryUsage().heapUsed / 2 ** 20);
        }
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));

    const quarter = Math.floor(heapMiB.length / 4);
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
    const early = mean(heapMiB.slice(quarter, 2 * quarter));
    const late = mean(heapMiB.slice(-quarter));
    writeSync(
      1,
      `soak: seed ${seed}, ${registrations} registrations, ${disturbed} disturbed, ${succeeded} succeeded, ` +
        `heap ${early.toFixed(1)} MiB early, ${late.toFixed(1)} MiB late\n`,
    );
    // A byte changed inside the handshake ends some of the disturbed ones with a typed error; nothing else may.
    expect(succeeded).toBeGreaterThanOrEqual(registrations - disturbed);
    expect(late - early).toBeLessThan(noiseMiB);
    for (const { proxy } of ways) await expect.poll(() => proxy.deviceConnections).toBe(0);
  },
);
