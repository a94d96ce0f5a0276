import { InvalidArgumentError } from '@endorse/interface';

/** Refuses what is no options object and options that do not exist: a misspelt `ca` must not silently mean "use the defaults". */
export function checkOptionNames(options: object, names: ReadonlySet<string>): void {
  if (options === null || typeof options !== 'object') {
    throw new InvalidArgumentError('options', 'must be an object');
  }
  const unknown = Object.keys(options).find((name) => !names.has(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`options.${unknown}`, 'is not an option');
}

/** Returns text that fits into one header or field. Throws `ERR_INVALID_ARGUMENT` unless it is 1 to 256 printable ASCII characters. */
export function checkPrintable(argument: string, value: string): string {
  if (typeof value === 'string' && /^[\x20-\x7e]{1,256}$/.test(value)) return value;
  throw new InvalidArgumentError(argument, 'must have 1 to 256 printable ASCII characters');
}

/** Returns a time limit in milliseconds. Throws `ERR_OUT_OF_RANGE` unless it is a whole number from 1 to 600,000. */
export function checkTimeout(argument: string, value: number): number {
  return checkInteger(argument, value, 1, 600_000);
}

/** Returns a whole number. Throws `ERR_OUT_OF_RANGE` unless it is from `least` to `most`. */
export function checkInteger(argument: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(argument, `must be an integer from ${least} to ${most}`, 'ERR_OUT_OF_RANGE');
}
