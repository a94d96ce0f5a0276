import { isEndorseError } from '@endorse/interface';
import type { GatewayClient, GatewaySession } from '@endorse/thingspro-edge';
import type { Credentials } from '../credentials.ts';
import { ProvisioningError } from '../errors.ts';
import type { StepOptions } from './step-outcome.ts';

/** A session, and what it was opened with. */
export interface SignedIn {
  readonly session: GatewaySession;
  readonly used: Credentials;
}

/**
 * Signs in and makes sure that it is the gateway it should be. The session is the caller's to close.
 *
 * Each of `credentials` is tried once, the next only after a refusal; there is more than one only after an interrupted
 * change of password. Rejects with the errors of the gateway client, and with `ERR_SERIAL_MISMATCH` when another unit
 * answers at the address.
 *
 * @example
 * ```js
 * import { createGatewayClient, createMemoryPins } from '@endorse/thingspro-edge';
 * import { signIn } from '@endorse/provisioning-utility';
 *
 * export async function readIdentity(host, serial, password) {
 *   const trust = { mode: 'trust-on-first-use', pins: createMemoryPins() };
 *   const client = createGatewayClient({ host, trust, pinName: serial });
 *   const signal = AbortSignal.timeout(30_000);
 *   const credentials = [{ name: 'admin', password }];
 *   const { session } = await signIn({ client, serial, credentials, signal });
 *   try {
 *     return await session.getIdentity({ signal });
 *   } finally {
 *     await session.close();
 *   }
 * }
 * ```
 */
export async function signIn(
  options: StepOptions & {
    readonly client: GatewayClient;
    readonly serial: string;
    readonly credentials: readonly [Credentials, ...Credentials[]];
    readonly acceptEula?: boolean | undefined;
  },
): Promise<SignedIn> {
  const { client, serial, credentials, acceptEula, signal } = options;
  const signedIn = await firstAccepted(client, credentials, acceptEula, signal);
  try {
    const { serialNumber } = await signedIn.session.getIdentity({ signal });
    if (serialNumber.toLowerCase() === serial.toLowerCase()) return signedIn;
    throw new ProvisioningError(
      'ERR_SERIAL_MISMATCH',
      `${client.address} says it is ${serialNumber}, not ${serial}`,
      {
        remedy: 'Discover again: the address belongs to another device now, or somebody pretends to be one.',
      },
    );
  } catch (error) {
    await signedIn.session.close();
    throw error;
  }
}

async function firstAccepted(
  client: GatewayClient,
  [first, ...others]: readonly [Credentials, ...Credentials[]],
  acceptEula: boolean | undefined,
  signal: AbortSignal,
): Promise<SignedIn> {
  try {
    return { session: await client.signIn({ ...first, acceptEula }, { signal }), used: first };
  } catch (error) {
    const [second, ...rest] = others;
    const isRefusal = isEndorseError(error) && error.code === 'ERR_GATEWAY_SIGN_IN_REFUSED';
    if (second === undefined || !isRefusal) throw error;
    return firstAccepted(client, [second, ...rest], acceptEula, signal);
  }
}
