/** Checks of options that both ways to a client share; each throws `ERR_INVALID_ARGUMENT` or `ERR_OUT_OF_RANGE`. */
import type { Clock, Secret } from '@endorse/interface';
import { InvalidArgumentError } from '@endorse/interface';
import { validateRegistrationId } from '@endorse/protocol';
import { maxPemLength } from './pem.ts';

/** Returns a PEM text of a bearable length. */
export function checkPem(pem: unknown, argument: string): string {
  if (typeof pem !== 'string') throw new InvalidArgumentError(argument, 'must be a string');
  if (pem.length > maxPemLength) {
    throw new InvalidArgumentError(
      argument,
      `must have at most ${maxPemLength} characters`,
      'ERR_OUT_OF_RANGE',
    );
  }
  return pem;
}

/** Returns the PEM text in a secret or a string. */
export function revealPem(pem: unknown, argument: string): string {
  if (typeof pem === 'string') return checkPem(pem, argument);
  if (!isSecret(pem)) throw new InvalidArgumentError(argument, 'must be a Secret or a string');
  return checkPem(pem.revealText(), argument);
}

/** Returns a passphrase, if any. */
export function checkPassphrase(passphrase: unknown): Secret | undefined {
  if (passphrase === undefined || isSecret(passphrase)) return passphrase;
  throw new InvalidArgumentError('options.passphrase', 'must be a Secret');
}

/** Returns a registration id, if any. */
export function checkRegistrationId(registrationId: string | undefined): string | undefined {
  return registrationId === undefined
    ? undefined
    : validateRegistrationId(registrationId, 'options.registrationId');
}

/** Returns a clock, if any. */
export function checkClock(clock: Pick<Clock, 'now'> | undefined): Pick<Clock, 'now'> | undefined {
  if (clock === undefined || typeof (clock as Partial<Clock> | null)?.now === 'function') return clock;
  throw new InvalidArgumentError('options.clock', 'must be a Clock');
}

/** Returns the path of a file. */
export function checkPath(path: unknown, argument: string): string {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return path;
  throw new InvalidArgumentError(argument, 'must be the path of a file');
}

/** By shape, not by class: two copies of the contracts may be loaded. */
function isSecret(value: unknown): value is Secret {
  const { reveal, revealText } = (value ?? {}) as Partial<Secret>;
  return typeof reveal === 'function' && typeof revealText === 'function';
}
