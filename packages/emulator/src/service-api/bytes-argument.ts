import { InvalidArgumentError } from '@endorse/interface';

/** Takes bytes, or text in base64 with or without line breaks. Throws `ERR_INVALID_ARGUMENT`, which does not repeat the value. */
export function toBytes(argument: string, value: Uint8Array | string, what: string): Uint8Array {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  const text = typeof value === 'string' ? value.replaceAll(/\s/g, '') : '';
  const bytes = Buffer.from(text, 'base64');
  if (text === '' || bytes.toString('base64') !== text) {
    throw new InvalidArgumentError(argument, `must be ${what}, as bytes or in base64`);
  }
  return Uint8Array.from(bytes);
}
