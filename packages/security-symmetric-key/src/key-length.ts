/** Shortest key the service accepts, in bytes. */
export const minKeyBytes = 16;

/** Longest key the service accepts, in bytes. */
export const maxKeyBytes = 64;

/** What is wrong with the length of a key; undefined when nothing is. */
export function findKeyLengthProblem(byteLength: number): string | undefined {
  return byteLength >= minKeyBytes && byteLength <= maxKeyBytes
    ? undefined
    : `must have ${minKeyBytes} to ${maxKeyBytes} bytes, has ${byteLength}`;
}
