import { InvalidArgumentError } from '@endorse/interface';

/** Throws `ERR_INVALID_ARGUMENT` for an argument that lacks one of the methods of its interface. */
export function requireMethods<Part extends object>(
  argument: string,
  part: Part,
  names: readonly (keyof Part & string)[],
): Part {
  const missing = names.find((name) => typeof (part as Part | undefined | null)?.[name] !== 'function');
  if (missing !== undefined) throw new InvalidArgumentError(argument, `has no method ${missing}`);
  return part;
}
