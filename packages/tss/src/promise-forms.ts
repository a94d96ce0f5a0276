type Method = (this: object, ...values: unknown[]) => unknown;

/**
 * Gives every generated command a second form: called without a continuation it returns a promise.
 * The continuation is the last parameter of each, `(error, result)`.
 */
export function addPromiseForms(target: object, generated: object): void {
  for (const name of Object.getOwnPropertyNames(generated)) {
    const command: unknown = Reflect.get(generated, name);
    if (name !== 'constructor' && typeof command === 'function') {
      Object.defineProperty(target, name, {
        value: withPromiseForm(command as Method, command.length - 1),
        writable: true,
        configurable: true,
      });
    }
  }
}

function withPromiseForm(command: Method, parameterCount: number): Method {
  return function (...values) {
    if (typeof values[parameterCount] === 'function') return command.apply(this, values);
    return new Promise((resolve, reject) => {
      const given = Array.from({ length: parameterCount }, (_, index) => values[index]);
      command.call(this, ...given, (error: Error | null, result: unknown) => {
        if (error) reject(error);
        else resolve(result);
      });
    });
  };
}
