/**
 * Every carrier × attestation × client: ours, and the official Azure IoT SDK for Node.js, unmodified. Each cell
 * registers, or is refused for the documented reason; the run leaves the table in `reports/carriers.md`.
 */
import { mkdirSync, writeFileSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AttestationKind } from '@endorse/interface';
import { attestationKinds } from '@endorse/interface';
import { register } from '@endorse/registration-core';
import { afterAll, describe, expect, test } from 'vitest';
import { carriers } from '../../support/carriers.ts';
import { officialEnvironment } from '../../support/official-environment.ts';
import { runActor } from '../../support/run-actor.ts';
import type { ServiceUnderTest } from '../../support/service/service-under-test.ts';
import { openService } from '../../support/service/service-under-test.ts';
import type { EnrolledDevice } from '../enrolled-device.ts';
import { enrollDevice } from '../enrolled-device.ts';

const reports = fileURLToPath(new URL('../../../reports', import.meta.url));
/** What became of each cell that did what it should. */
const cells = new Map<string, string>();
const cellKey = (carrier: string, attestation: AttestationKind, client: string): string =>
  `${carrier} ${attestation} ${client}`;

afterAll(() => {
  const rows = carriers.map(({ name }) =>
    attestationKinds.flatMap((attestation) =>
      ['ours', 'official'].map((client) => cells.get(cellKey(name, attestation, client)) ?? 'FAILED'),
    ),
  );
  const head = attestationKinds.flatMap((attestation) => [
    `${attestation}, ours`,
    `${attestation}, official`,
  ]);
  const lines = [
    `| Carrier | ${head.join(' | ')} |`,
    `| --- | ${head.map(() => '---').join(' | ')} |`,
    ...rows.map((row, index) => `| ${carriers[index]?.name} | ${row.join(' | ')} |`),
  ];
  const table = `${lines.join('\n')}\n`;
  mkdirSync(reports, { recursive: true });
  writeFileSync(join(reports, 'carriers.md'), table);
  writeSync(1, table);
});

describe.each(carriers)('over $name', (carrier) => {
  const isRefused = (attestation: AttestationKind): boolean =>
    !carrier.capabilities.attestations.includes(attestation);

  test.each(attestationKinds)(
    'our client registers with %s, or refuses as documented',
    async (attestation) => {
      await using resources = new AsyncDisposableStack();
      const { service, device } = await startScene(attestation, resources);
      const { host } = new URL(carrier.endpoint(service));
      const registration = register({
        provisioningHost: host,
        idScope: service.idScope,
        transport: carrier.create(service.caPem),
        securityClient: resources.use(await device.open()),
        deadlineMs: 30_000,
      });
      if (isRefused(attestation)) {
        const reason = carrier.capabilities.refusals[attestation] ?? 'no reason';
        await expect(registration).rejects.toMatchObject({
          code: 'ERR_UNSUPPORTED_CAPABILITY',
          message: expect.stringContaining(reason),
        });
        cells.set(cellKey(carrier.name, attestation, 'ours'), 'refused');
      } else {
        const result = await registration;
        expect(result).toMatchObject(await assignmentOf(service, device.registrationId));
        cells.set(cellKey(carrier.name, attestation, 'ours'), 'assigned');
      }
    },
  );

  test.each(attestationKinds)(
    'the official SDK registers with %s, or refuses as documented',
    async (attestation) => {
      await using resources = new AsyncDisposableStack();
      const { service, device, directory } = await startScene(attestation, resources);
      const { environment, nodeArguments } = await officialEnvironment(
        service,
        carrier.endpoint(service),
        directory,
      );
      const run = await runActor('official-sdk.cjs', {
        nodeArguments,
        environment: {
          ...environment,
          ENDORSE_CARRIER: carrier.name,
          ENDORSE_ATTESTATION: attestation,
          ...device.environment,
        },
      });
      const { registrationId } = device;
      const expected = isRefused(attestation) ? officialRefusal : await assignmentOf(service, registrationId);
      expect(run.lines, run.errors).toEqual([expected]);
      expect(run.exitCode).toBe(isRefused(attestation) ? 1 : 0);
      cells.set(
        cellKey(carrier.name, attestation, 'official'),
        isRefused(attestation) ? 'refused' : 'assigned',
      );
    },
  );
});

/** What the official client says of a TPM over MQTT, which the service does not offer. */
const officialRefusal = {
  error: 'ArgumentError',
  message: 'Transport does not support TPM authentication',
};

/** What a device is told, by the word of the service's other side. */
async function assignmentOf(service: ServiceUnderTest, registrationId: string): Promise<object> {
  const { assignedHub } = await service.readRegistration(registrationId);
  return { status: 'assigned', deviceId: registrationId, assignedHub };
}

interface Scene {
  readonly service: ServiceUnderTest;
  readonly device: EnrolledDevice;
  readonly directory: string;
}

async function startScene(attestation: AttestationKind, resources: AsyncDisposableStack): Promise<Scene> {
  const service = resources.use(await openService({ retryAfterSeconds: 1 }));
  const directory = await mkdtemp(join(tmpdir(), 'endorse-carriers-'));
  resources.defer(() => rm(directory, { recursive: true }));
  return { service, directory, device: await enrollDevice(attestation, service, resources, directory) };
}
