import { UsageError } from '../command/usage-error.ts';

const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of `90d`, `12h`, `30m` or `45s`. Throws `UsageError` for anything else. */
export function parseDuration(option: string, text: string): number {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) {
    throw new UsageError(`--${option} is a number and a unit: 90d, 12h, 30m or 45s`);
  }
  return Number(count) * unitsMs[unit as keyof typeof unitsMs];
}
