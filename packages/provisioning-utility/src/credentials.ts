/** Which password is tried on which gateway. Gateways count failures and lock accounts, so nothing is ever guessed. */
import type { Secret } from '@endorse/interface';
import { ProvisioningError } from './errors.ts';
import type { PasswordStore } from './ports.ts';

/** A name and its password. */
export interface Credentials {
  readonly name: string;
  readonly password: Secret;
}

/** The passwords a run may use. */
export interface CredentialPolicy {
  /** Used on every gateway that has no password of its own in the store. */
  readonly supplied?: Credentials | undefined;
  /**
   * What gateways leave the works with; used only when there is nothing else, and only on a gateway that is not
   * known to be claimed. Never after another password was refused.
   */
  readonly factoryDefault?: Credentials | undefined;
  /** Accepts the vendor's licence agreement at the first sign-in; default false. */
  readonly acceptEula?: boolean | undefined;
}

/** What to try, in order. More than one only after an interrupted rotation, when either may be in force. */
export async function credentialsFor(
  device: { readonly serial: string; readonly state?: string | undefined },
  policy: CredentialPolicy,
  passwords: PasswordStore | undefined,
): Promise<readonly [Credentials, ...Credentials[]]> {
  const stored = (await passwords?.get(device.serial)) ?? [];
  const [newest, previous] = stored;
  const fallback = policy.supplied ?? (device.state === 'claimed' ? undefined : policy.factoryDefault);
  if (newest?.state === 'set') return [newest];
  if (newest !== undefined) {
    // The run ended between the writing of the new password and the gateway's answer: each is tried once.
    const before = previous ?? fallback;
    return before === undefined ? [newest] : [newest, before];
  }
  if (fallback !== undefined) return [fallback];
  throw new ProvisioningError('ERR_NO_CREDENTIALS', `there is no password for ${device.serial}`, {
    remedy:
      device.state === 'claimed'
        ? 'The device says it is claimed, so factory credentials are not tried: give its password.'
        : 'Give a password, or allow the factory credentials.',
  });
}
