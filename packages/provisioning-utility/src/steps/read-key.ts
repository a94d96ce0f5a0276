import type { EndorsementKeyOptions, GatewaySession } from '@endorse/thingspro-edge';
import type { EndorsementKey } from '../endorsement-key.ts';
import { readEndorsementKey } from '../endorsement-key.ts';
import { ProvisioningError } from '../errors.ts';
import type { StepOptions } from './step-outcome.ts';

/**
 * Reads the endorsement key and checks it. `prepare` lets a gateway that shows no key be switched to DPS with TPM first.
 *
 * Rejects with `ERR_GATEWAY_NO_TPM` or `ERR_GATEWAY_NO_ENDORSEMENT_KEY`, `ERR_KEY_UNUSABLE`, and `ERR_KEY_CHANGED`
 * when the device is known to have another key: its TPM was exchanged, or it is another device.
 *
 * @example
 * ```js
 * import { readKey } from '@endorse/provisioning-utility';
 *
 * export async function showKey(session) {
 *   const key = await readKey({ session, prepare: true, signal: AbortSignal.timeout(30_000) });
 *   for (const warning of key.warnings) console.error(warning);
 *   return Buffer.from(key.tpm2bPublic).toString('base64');
 * }
 * ```
 */
export async function readKey(
  options: StepOptions & {
    readonly session: Pick<GatewaySession, 'readEndorsementKey'>;
    readonly known?: Uint8Array | undefined;
    /** Default false: nothing is written. */
    readonly prepare?: EndorsementKeyOptions['prepare'];
  },
): Promise<EndorsementKey> {
  const { session, known, prepare = false, signal } = options;
  const key = readEndorsementKey(await session.readEndorsementKey({ signal, prepare }));
  if (known === undefined || Buffer.compare(known, key.tpm2bPublic) === 0) return key;
  throw new ProvisioningError(
    'ERR_KEY_CHANGED',
    `the endorsement key is ${key.fingerprint}…, not the one this device was known by`,
    {
      remedy: 'Find out why the TPM is another one. If that is right, remove the old key from the inventory.',
    },
  );
}
