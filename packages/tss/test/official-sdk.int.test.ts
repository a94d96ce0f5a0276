/** Oracle: the official SDK's security client (azure-iot-security-tpm 1.9.3), unmodified, on our class as its `customTpm`. */
import { createHmac, randomBytes } from 'node:crypto';
import { systemRandom } from '@endorse/interface/node';
import { createActivation, decodeTpm2bPublic } from '@endorse/tpm2';
import { readTpmSnapshot } from '@endorse/tpm-simulator';
import { TpmSecurityClient } from 'azure-iot-security-tpm';
import { describe, expect, it } from 'vitest';
import { startBench } from './support/devices.ts';

describe('the official SDK over Tpm', () => {
  it('reads the keys, activates an identity key and signs with it', async () => {
    await using bench = await startBench({ provisioned: true });
    const client = new TpmSecurityClient('', bench.tpm);
    const endorsementKey = await settled<Buffer>((callback) => client.getEndorsementKey(callback));
    const storageRootKey = await settled<Buffer>((callback) => client.getStorageRootKey(callback));
    expect([endorsementKey.length, storageRootKey.length]).toEqual([316, 284]);
    expect(await settled<string>((callback) => client.getRegistrationId(callback))).toMatch(/^[a-z2-7]{52}$/);

    const key = randomBytes(32);
    const parts = createActivation({
      endorsementKey: decodeTpm2bPublic(endorsementKey),
      storageRootKey: decodeTpm2bPublic(storageRootKey),
      key,
      random: systemRandom,
    });
    const { idObject, encryptedSecret, duplicate, encryptedSeed, publicArea, encryptedUri } = parts;
    const blob = [idObject, encryptedSecret, duplicate, encryptedSeed, publicArea, encryptedUri].map(sized);
    await settled<void>((callback) => client.activateIdentityKey(Buffer.concat(blob), callback));

    for (const byteLength of [1, 1024, 3000]) {
      const data = randomBytes(byteLength);
      const signature = await settled<Buffer>((callback) => client.signWithIdentity(data, callback));
      expect(signature).toEqual(createHmac('sha256', key).update(data).digest());
    }
    await bench.tpm.close();
    const { transient, loadedSessions } = await readTpmSnapshot(bench.simulator.address);
    expect({ transient, loadedSessions }).toEqual({ transient: [], loadedSessions: [] });
  });
});

/** A call of the SDK, as a promise. */
function settled<T>(start: (callback: (error?: Error | null, result?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, result) => (error ? reject(error) : resolve(result as T)));
  });
}

function sized(bytes: Uint8Array): Buffer {
  const size = Buffer.alloc(2);
  size.writeUInt16BE(bytes.length);
  return Buffer.concat([size, bytes]);
}
