import type { ActorRun } from '../../support/run-actor.ts';
import { runActor } from '../../support/run-actor.ts';
import type { RegistrationSetting } from './registration.ts';
import { runOfficial, runOurs } from './registration.ts';
import type { Summary } from '../support/statistics.ts';
import { summarize } from '../support/statistics.ts';

/** Wall time from start to exit and peak resident memory of a whole process. */
export interface ProcessFigures {
  readonly wallMs: Summary;
  readonly maxRssMiB: Summary;
}

/** A fresh process from start to `assigned`, against an empty one. */
export interface FreshProcessFigures {
  readonly node: ProcessFigures;
  /** Node.js with undici alone, sending three requests. */
  readonly undici: ProcessFigures;
  readonly endorse: ProcessFigures;
  readonly official: ProcessFigures;
  /** What each adds to bare Node.js, ours to the official client's. */
  readonly wallRatio: number;
  readonly memoryRatio: number;
  /** The same, with what undici alone adds taken from ours. Limit 0.8 each. */
  readonly wallRatioLessUndici: number;
  readonly memoryRatioLessUndici: number;
}

/** Starts each kind of process `turns` times, in turn. */
export async function measureFreshProcess(
  setting: RegistrationSetting,
  { turns }: { readonly turns: number },
): Promise<FreshProcessFigures> {
  const runs: Record<'node' | 'undici' | 'endorse' | 'official', ActorRun[]> = {
    node: [],
    undici: [],
    endorse: [],
    official: [],
  };
  for (let turn = 0; turn < turns; turn += 1) {
    runs.node.push(await runActor('bare-node.mjs', { directory: setting.ours.actors, environment: {} }));
    runs.undici.push(await runOurs('undici-alone.mjs', setting, 1));
    runs.endorse.push(await runOurs('endorse-http-tpm.mjs', setting, 1));
    runs.official.push(await runOfficial(setting, 1));
  }
  const node = figuresOf(runs.node);
  const endorse = figuresOf(runs.endorse);
  const official = figuresOf(runs.official);
  const undici = figuresOf(runs.undici);
  return {
    node,
    undici,
    endorse,
    official,
    wallRatio: ratioAbove(node, endorse, official, 'wallMs'),
    memoryRatio: ratioAbove(node, endorse, official, 'maxRssMiB'),
    wallRatioLessUndici: ratioAbove(node, endorse, official, 'wallMs', undici),
    memoryRatioLessUndici: ratioAbove(node, endorse, official, 'maxRssMiB', undici),
  };
}

/** What `left` adds to its ground, by what `right` adds to bare Node.js. */
function ratioAbove(
  node: ProcessFigures,
  left: ProcessFigures,
  right: ProcessFigures,
  figure: keyof ProcessFigures,
  ground: ProcessFigures = node,
): number {
  return (left[figure].median - ground[figure].median) / (right[figure].median - node[figure].median);
}

function figuresOf(runs: readonly ActorRun[]): ProcessFigures {
  return {
    wallMs: summarize(runs.map(({ wallMs }) => wallMs)),
    maxRssMiB: summarize(runs.map((run) => maxRssKiB(run) / 1024)),
  };
}

function maxRssKiB({ errors, exitCode }: ActorRun): number {
  const match = /\{"maxRssKiB":(\d+)\}/.exec(errors);
  if (exitCode !== 0 || match?.[1] === undefined) throw new Error(`a process failed: ${errors}`);
  return Number(match[1]);
}
