/** A run that is killed, wherever it stands, and resumed ends where an undisturbed one does: with real processes, files and sockets. */
import { randomInt } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEnrollmentClient } from '@endorse/enrollment-client';
import { formatPlan, openPasswordsFile } from '@endorse/provisioning-utility';
import { openPinsFile } from '@endorse/thingspro-edge';
import { expect, test } from 'vitest';
import type { ApplyTask } from '../actors/apply-plan.ts';
import { describeFleet } from '../gateways/fleet-specs.ts';
import type { SimulatedGateway } from '../gateways/gateway.ts';
import type { SiteOperator } from '../gateways/provision-site.ts';
import { accessTo, createSiteOperator } from '../gateways/provision-site.ts';
import type { Site } from '../gateways/site.ts';
import { startSite } from '../gateways/site.ts';
import { runActor } from '../support/run-actor.ts';

interface Workplace extends AsyncDisposable {
  readonly site: Site;
  readonly operator: SiteOperator;
  /** Makes the plan of one gateway, which has to be ready. */
  plan(index: number): Promise<void>;
  /** Applies the plan of one gateway in a process of its own. */
  apply(index: number, options: Pick<ApplyTask, 'resume' | 'killAt'>): Promise<Applied>;
  /** What came of a gateway, as it and the service know it, without what differs between any two. */
  stateOf(index: number): Promise<string>;
}

interface Applied {
  /** False when it was killed. */
  readonly isWhole: boolean;
  readonly totals?: Readonly<Record<string, number>>;
  readonly counted?: { readonly line: number; readonly request: number };
}

const movedPort = 50_443;

/** `EVERY_KILL=1` kills at every place there is, which takes minutes. */
const isThorough = process.env['EVERY_KILL'] === '1';
const sampleSize = 7;

/** A site whose gateways were used with another service before, so that every step has something to do. */
async function startWorkplace(count: number): Promise<Workplace> {
  const resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'endorse-killed-'));
  resources.defer(() => rm(folder, { recursive: true }));
  const specs = describeFleet({ count, quirks: false, port: 0, network: [49, 0] });
  const site = resources.use(await startSite({ specs, algorithm: 'ecc' }));
  for (const { device } of site.fleet.gateways) {
    if (device === undefined) continue;
    device.timeOffsetMs = 7_200_000;
    device.ssh = { enable: true, port: 22 };
    device.provisioning = {
      enable: true,
      source: 'dps',
      method: 'tpm',
      scopeId: '0neOLD00000',
      registrationId: 'old',
      globalEndpoint: 'https://127.0.0.1:1',
    };
  }
  const file = (name: string): string => join(folder, name);
  const pins = openPinsFile(file('pins'));
  const passwords = openPasswordsFile(file('passwords'));
  const { serviceConnectionString, caPem: ca } = site.emulator;
  const operator = resources.use(
    createSiteOperator(accessTo(site), {
      pins,
      passwords,
      probe: false,
      job: {
        configure: {
          time: true,
          ssh: false,
          serialConsole: false,
          discovery: false,
          httpsPort: movedPort,
          rotatePassword: true,
          allowLockout: false,
        },
        verify: { timeoutMs: 30_000, pauseMs: 100 },
      },
    }),
  );
  const service = createEnrollmentClient({ connectionString: serviceConnectionString, ca });
  resources.defer(() => service.close());
  await writeFile(file('connection-string'), serviceConnectionString.revealText(), { mode: 0o600 });
  const gatewayAt = (index: number): SimulatedGateway => site.fleet.gateways[index] as SimulatedGateway;

  return {
    site,
    operator,
    plan: async (index) => {
      const { spec, port } = gatewayAt(index);
      const device = { serial: spec.serialNumber, address: spec.address, port, state: 'factory' } as const;
      const plan = await operator.plan([device]);
      expect(plan.devices.map(({ verdict, problem }) => [verdict, problem])).toEqual([['ready', undefined]]);
      await writeFile(file(`${index}-plan.json`), formatPlan(plan));
    },
    apply: async (index, options) => {
      const { serviceConnectionString: _secret, ...access } = accessTo(site);
      const own = (name: string): string => file(`${index}-${name}`);
      const task: ApplyTask = {
        site: access,
        connectionStringFile: file('connection-string'),
        planFile: own('plan.json'),
        journalFile: own('run.jsonl'),
        pinsFile: file('pins'),
        passwordsFile: file('passwords'),
        ...options,
      };
      await writeFile(own('task.json'), JSON.stringify(task));
      const { lines, exitCode, errors } = await runActor('apply-plan.ts', {
        environment: { APPLY_TASK: own('task.json') },
        nodeArguments: ['--conditions=@endorse/source'],
      });
      if (exitCode === null) return { isWhole: false };
      expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' });
      return { isWhole: true, ...(lines[0] as object) };
    },
    stateOf: async (index) => {
      const { device, assignment, spec, port } = gatewayAt(index);
      const registrationId = spec.serialNumber.toLowerCase();
      const { attestation, ...enrollment } = await service.enrollments.get(registrationId);
      const endorsementKey = await device?.ports.endorsementKey();
      const [stored] = await passwords.get(spec.serialNumber);
      const isKeyRight =
        attestation.type === 'tpm' &&
        Buffer.from(attestation.endorsementKey).toString('base64') === endorsementKey;
      const state = {
        enrollment,
        isKeyRight,
        assignment,
        provisioning: device?.provisioning,
        settings: [device?.ssh, device?.discovery, device?.serialConsole, port],
        isTimeRight: Math.abs(device?.timeOffsetMs ?? 0) < 60_000,
        password: [stored?.state, stored?.password.revealText() === device?.password],
      };
      const text = JSON.stringify(state, (name, value: unknown) =>
        /etag|DateTimeUtc/i.test(name) ? undefined : value,
      );
      return text.replaceAll(registrationId, 'REGISTRATION').replaceAll(spec.serialNumber, 'SERIAL');
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

test(
  '[X1] [X2] a run killed after any line of its journal or in any request, and resumed, ends as one that was not',
  async () => {
    await using workplace = await startWorkplace(isThorough ? 400 : 60);
    const { gateways } = workplace.site.fleet;
    const indexesOf = (family: string): number[] =>
      [...gateways.keys()].filter((index) => gateways[index]?.device?.family === family);
    const kinds = [
      { what: 'line', indexes: indexesOf('aig-301') },
      { what: 'request', indexes: indexesOf('aig-302') },
    ] as const;
    let kills = 0;
    for (const { what, indexes } of kinds) {
      const [undisturbed = 0, ...others] = indexes;
      await workplace.plan(undisturbed);
      const whole = await workplace.apply(undisturbed, { resume: false });
      expect(whole.totals).toMatchObject({ provisioned: 1 });
      const expected = await workplace.stateOf(undisturbed);
      const count = whole.counted?.[what] ?? 0;
      expect(count).toBeGreaterThan(25);

      const places = someOf(count);
      await inPairs(others.slice(0, places.length), async (index, turn) => {
        const place = places[turn] ?? 1;
        const where = `${what} ${place} of ${count}`;
        await workplace.plan(index);
        const killed = await workplace.apply(index, { resume: false, killAt: { [what]: place } });
        if (!killed.isWhole) kills += 1;
        const resumed = await workplace.apply(index, { resume: true });
        expect(resumed.totals, where).toMatchObject({ provisioned: 1 });
        expect(await workplace.stateOf(index), where).toEqual(expected);
      });
    }
    expect(kills).toBeGreaterThanOrEqual(isThorough ? 50 : 2 * sampleSize - 4);

    const { spec, port } = gateways[0] as SimulatedGateway;
    const again = await workplace.operator.plan([{ serial: spec.serialNumber, address: spec.address, port }]);
    const writes: string[] = [];
    const report = await workplace.operator.apply(again, {
      onEntry: (entry) => {
        if (entry.event === 'write-started') writes.push(entry.what);
      },
    });
    expect(report.totals).toMatchObject({ unchanged: 1 });
    expect(writes).toEqual([]);
  },
  10 * 60_000,
);

/** Every place, or some that are far apart and others each time: two processes for each take their time. */
function someOf(count: number): readonly number[] {
  const stride = isThorough ? 1 : Math.max(1, Math.floor(count / sampleSize));
  const first = 1 + randomInt(stride);
  return Array.from(
    { length: Math.ceil((count - first + 1) / stride) },
    (_, index) => first + index * stride,
  );
}

/** Two at a time, as machines that run tests have two cores. */
async function inPairs(
  items: readonly number[],
  work: (item: number, turn: number) => Promise<void>,
): Promise<void> {
  const turns = items.entries();
  const worker = async (): Promise<void> => {
    for (const [turn, item] of turns) await work(item, turn);
  };
  await Promise.all([worker(), worker()]);
}
