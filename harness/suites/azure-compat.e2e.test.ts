/**
 * Every carrier × attestation × mixture of our parts and those of the official Azure IoT SDK for Node.js, unmodified:
 * either client, with transport and security client of either side. Each cell registers, or is refused for the
 * documented reason. The official parts run in a process of their own, as in `carriers.e2e.test.ts`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attestationKinds } from '@endorse/interface';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Carrier } from '../support/carriers.ts';
import { carriers } from '../support/carriers.ts';
import { officialEnvironment } from '../support/official-environment.ts';
import type { ActorRun } from '../support/run-actor.ts';
import { runActor } from '../support/run-actor.ts';
import type { ServiceUnderTest } from '../support/service/service-under-test.ts';
import { openEmulator } from '../support/service/service-under-test.ts';
import type { EnrolledDevice } from './enrolled-device.ts';
import { enrollDevice } from './enrolled-device.ts';

const sides = ['ours', 'theirs'] as const;
type Side = (typeof sides)[number];

/** All but the two in which nothing is foreign; `carriers.e2e.test.ts` has those. */
const mixtures = sides.flatMap((client) =>
  sides.flatMap((transport) =>
    sides
      .map((identity) => ({ client, transport, identity }))
      .filter((mixture) => mixture.transport !== client || mixture.identity !== client),
  ),
);
const cells = attestationKinds.flatMap((attestation) =>
  mixtures.map((mixture) => ({ attestation, ...mixture })),
);

const resources = new AsyncDisposableStack();
let service: ServiceUnderTest;
const devices = new Map<string, EnrolledDevice>();
let directory = '';

beforeAll(async () => {
  service = resources.use(await openEmulator());
  directory = await mkdtemp(join(tmpdir(), 'endorse-azure-compat-'));
  resources.defer(() => rm(directory, { recursive: true }));
  for (const attestation of attestationKinds) {
    devices.set(attestation, await enrollDevice(attestation, service, resources, directory));
  }
});

afterAll(() => resources.disposeAsync());

describe.each(carriers)('over $name', (carrier) => {
  let run: ActorRun;

  beforeAll(async () => {
    run = await runMixedClients(carrier);
  }, 60_000);

  test.each(cells)(
    '$client client, $transport transport and $identity identity: $attestation',
    async ({ attestation, client, transport, identity }) => {
      const line = run.lines.find(
        (each) =>
          each['attestation'] === attestation &&
          each['client'] === client &&
          each['transport'] === transport &&
          each['identity'] === identity,
      );
      if (carrier.capabilities.attestations.includes(attestation)) {
        const deviceId = devices.get(attestation)?.registrationId ?? 'not enrolled';
        const { assignedHub } = await service.readRegistration(deviceId);
        expect(line, run.errors).toMatchObject({ status: 'assigned', deviceId, assignedHub });
      } else {
        expect(line, run.errors).toMatchObject(refusalOf(carrier, client, transport));
      }
    },
  );

  test('and nothing else happened', () => {
    expect({ lines: run.lines.length, exitCode: run.exitCode, errors: run.errors }).toEqual({
      lines: cells.length,
      exitCode: 0,
      errors: '',
    });
  });
});

/** What either client says of a TPM over MQTT, which the service does not offer. */
function refusalOf({ name, capabilities }: Carrier, client: Side, transport: Side): object {
  if (client === 'theirs') {
    return { name: 'ArgumentError', message: 'Transport does not support TPM authentication' };
  }
  const reason =
    transport === 'ours'
      ? capabilities.refusals.tpm
      : 'their transport has no method getAuthenticationChallenge';
  return {
    code: 'ERR_UNSUPPORTED_CAPABILITY',
    message: `cannot register with tpm over ${name}: ${reason}`,
  };
}

/** One process for a carrier: what takes time is loading the SDK. */
async function runMixedClients(carrier: Carrier): Promise<ActorRun> {
  const endpoint = carrier.endpoint(service);
  const { environment, nodeArguments } = await officialEnvironment(service, endpoint, directory);
  const known = [...devices].map(([attestation, device]) => [attestation, device.environment]);
  return runActor('mixed-clients.mjs', {
    nodeArguments: ['--conditions=@endorse/source', ...nodeArguments],
    environment: {
      ...environment,
      ENDORSE_CARRIER: carrier.name,
      ENDORSE_OUR_HOST: new URL(endpoint).host,
      ENDORSE_DEVICES: JSON.stringify(Object.fromEntries(known)),
    },
  });
}
