/** Checks of options that the prober and the responder share. */
import { InvalidArgumentError } from '@endorse/interface';

/** Throws `ERR_OUT_OF_RANGE` for anything but an integer in the range. */
export function checkInteger(argument: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(argument, `must be an integer from ${least} to ${most}`, 'ERR_OUT_OF_RANGE');
}

/** Throws `ERR_INVALID_ARGUMENT` for anything but a list of texts that are not empty. */
export function checkTexts(argument: string, value: readonly string[]): readonly string[] {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [undefined];
  if (texts.every((text) => typeof text === 'string' && text !== '')) return value;
  throw new InvalidArgumentError(argument, 'must be a list of texts that are not empty');
}

/** Throws `ERR_INVALID_ARGUMENT` for options that are no object or have a name nobody knows. */
export function checkNames(options: object, names: ReadonlySet<string>): void {
  if (options === null || typeof options !== 'object') {
    throw new InvalidArgumentError('options', 'must be an object');
  }
  const unknown = Object.keys(options).find((name) => !names.has(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`options.${unknown}`, 'is not an option');
}
