import type { ActorRun } from '../../support/run-actor.ts';
import { runActor } from '../../support/run-actor.ts';
import type { InstalledProject } from '../support/projects.ts';
import type { Summary } from '../support/statistics.ts';
import { medianRatio, summarize } from '../support/statistics.ts';

/** Where the clients register. */
export interface RegistrationSetting {
  readonly ours: InstalledProject;
  readonly official: InstalledProject;
  readonly tpm: string;
  readonly idScope: string;
  readonly provisioningHost: string;
  readonly caFile: string;
}

/** Registration over HTTP, three clients on one TPM and one emulator. All times in milliseconds. */
export interface RegistrationFigures {
  /** Wall time less what the security client took: what a client adds around the TPM. */
  readonly overheadMs: {
    readonly endorse: Summary;
    readonly bareUndici: Summary;
    readonly official: Summary;
  };
  /** Wall time less what the TPM device took: marshalling and the maths of protected sessions are in it. */
  readonly outsideDeviceMs: { readonly endorse: Summary; readonly official: Summary };
  readonly wallMs: {
    readonly endorse: Summary;
    readonly endorseUnprotected: Summary;
    readonly official: Summary;
  };
  /** See `floorLimit`. */
  readonly endorseToBareUndici: number;
  /** Limit 1. */
  readonly endorseToOfficial: number;
}

type Samples = Record<'wallMs' | 'tpmMs' | 'deviceMs', number>[];

/** The clients in turn, several times, so that drift of the machine falls on all of them alike. */
export async function measureRegistration(
  setting: RegistrationSetting,
  { turns, rounds }: { readonly turns: number; readonly rounds: number },
): Promise<RegistrationFigures> {
  const samples: Record<'endorse' | 'unprotected' | 'bare' | 'official', Samples> = {
    endorse: [],
    unprotected: [],
    bare: [],
    official: [],
  };
  for (let turn = 0; turn < turns; turn += 1) {
    // The first registration of a process pays for loading and compiling; the fresh-process figure is about that.
    samples.bare.push(...steady(await runOurs('bare-undici.mjs', setting, rounds)));
    samples.endorse.push(...steady(await runOurs('endorse-http-tpm.mjs', setting, rounds)));
    samples.official.push(...steady(await runOfficial(setting, rounds)));
    samples.unprotected.push(
      ...steady(await runOurs('endorse-http-tpm.mjs', setting, rounds, { ENDORSE_SESSIONS: 'none' })),
    );
  }
  const overhead = (series: Samples): number[] => series.map(({ wallMs, tpmMs }) => wallMs - tpmMs);
  const outside = (series: Samples): number[] => series.map(({ wallMs, deviceMs }) => wallMs - deviceMs);
  const wall = (series: Samples): number[] => series.map(({ wallMs }) => wallMs);
  return {
    overheadMs: {
      endorse: summarize(overhead(samples.endorse)),
      bareUndici: summarize(overhead(samples.bare)),
      official: summarize(overhead(samples.official)),
    },
    outsideDeviceMs: {
      endorse: summarize(outside(samples.endorse)),
      official: summarize(outside(samples.official)),
    },
    wallMs: {
      endorse: summarize(wall(samples.endorse)),
      endorseUnprotected: summarize(wall(samples.unprotected)),
      official: summarize(wall(samples.official)),
    },
    endorseToBareUndici: medianRatio(overhead(samples.endorse), overhead(samples.bare)),
    endorseToOfficial: medianRatio(overhead(samples.endorse), overhead(samples.official)),
  };
}

/** Runs one of our actors from the installed project. */
export function runOurs(
  actor: string,
  setting: RegistrationSetting,
  rounds: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<ActorRun> {
  return runActor(actor, {
    directory: setting.ours.actors,
    environment: {
      ...commonEnvironment(setting, rounds),
      ENDORSE_HOST: setting.provisioningHost,
      ...environment,
    },
  });
}

/** Runs the official client from its installed project; it insists on port 443. */
export function runOfficial(setting: RegistrationSetting, rounds: number): Promise<ActorRun> {
  return runActor('official-http-tpm.cjs', {
    directory: setting.official.actors,
    nodeArguments: ['--require', `${setting.official.actors}/redirect-port.cjs`],
    environment: {
      ...commonEnvironment(setting, rounds),
      ENDORSE_HOST: 'localhost',
      ENDORSE_REDIRECT_443: new URL(`https://${setting.provisioningHost}`).port,
      NODE_EXTRA_CA_CERTS: setting.caFile,
    },
  });
}

function commonEnvironment(setting: RegistrationSetting, rounds: number): Record<string, string> {
  return {
    ENDORSE_ID_SCOPE: setting.idScope,
    ENDORSE_TPM: setting.tpm,
    ENDORSE_CA_FILE: setting.caFile,
    ENDORSE_ROUNDS: String(rounds),
  };
}

function steady(run: ActorRun): Samples {
  if (run.exitCode !== 0) throw new Error(`a client failed: ${JSON.stringify(run.lines)} ${run.errors}`);
  return run.lines.slice(1).map((line) => ({
    wallMs: numberOf(line, 'wallMs'),
    tpmMs: numberOf(line, 'tpmMs'),
    deviceMs: numberOf(line, 'deviceMs'),
  }));
}

function numberOf(line: Readonly<Record<string, unknown>>, name: string): number {
  const value = line[name];
  if (typeof value !== 'number') throw new Error(`no ${name} in ${JSON.stringify(line)}`);
  return value;
}
