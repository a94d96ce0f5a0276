/** Endorsement certificates on swtpm, issued by swtpm_setup’s own authority: an oracle we did not write. */
import {
  createTpmExecutor,
  matchesEndorsementKey,
  openTpmDevice,
  readEndorsementCertificate,
  readEndorsementCertificates,
  tpmInfo,
  verifyEndorsementCertificateChain,
} from '@endorse/security-tpm';
import type { TpmExecutor } from '@endorse/security-tpm';
import { startTpmSimulator } from '@endorse/tpm-simulator';
import {
  commands,
  decodeTpm2bPublic,
  ekTemplateRsa2048AzureLegacy,
  nvAttributes,
  nvIndices,
  rh,
} from '@endorse/tpm2';
import type { PublicArea } from '@endorse/tpm2';
import { describe, expect, test } from 'vitest';

async function endorsementKeyOf(executor: TpmExecutor): Promise<PublicArea> {
  const { endorsementKey } = await tpmInfo(executor);
  return decodeTpm2bPublic(endorsementKey ?? new Uint8Array(0));
}

async function writeCertificate(address: string, nvIndex: number, data: Uint8Array): Promise<void> {
  await using executor = await createTpmExecutor(address);
  await executor.execute(commands.NV_DefineSpace, {
    authHandle: rh.owner,
    publicInfo: {
      nvIndex,
      nameAlg: 'sha256',
      attributes:
        nvAttributes.ownerWrite | nvAttributes.ownerRead | nvAttributes.authRead | nvAttributes.noDa,
      authPolicy: new Uint8Array(0),
      dataSize: data.byteLength,
    },
  });
  for (let offset = 0; offset < data.byteLength; offset += 512) {
    const chunk = data.subarray(offset, offset + 512);
    await executor.execute(commands.NV_Write, { authHandle: rh.owner, nvIndex, data: chunk, offset });
  }
}

describe('a TPM with a certificate', () => {
  test('is read, belongs to its key, and its chain ends in the maker’s root', async () => {
    await using simulator = await startTpmSimulator({ endorsementCertificate: true });
    await using executor = await createTpmExecutor(simulator.address);
    const endorsementKey = await endorsementKeyOf(executor);
    const { nvIndex, x509, der } = await readEndorsementCertificate(executor, endorsementKey);
    expect(nvIndex).toBe(nvIndices.ekCertificateRsa2048);
    expect(der).toEqual(Uint8Array.from(x509.raw));
    const [root = '', ...intermediates] = simulator.endorsementRootsPem;
    const chain = verifyEndorsementCertificateChain({ certificate: x509, roots: [root], intermediates });
    expect(chain.length).toBeGreaterThanOrEqual(2);
    expect(chain[0]?.fingerprint256).toBe(x509.fingerprint256);
    expect(() => verifyEndorsementCertificateChain({ certificate: x509, roots: [root] })).toThrow(
      expect.objectContaining({ code: 'ERR_TPM_CERTIFICATE_CHAIN' }),
    );
  });

  test('every certificate of low and high range is listed, and matched byte for byte', async () => {
    await using simulator = await startTpmSimulator({ endorsementCertificate: true });
    await using executor = await createTpmExecutor(simulator.address);
    const found = await readEndorsementCertificates(executor);
    expect(found.map(({ nvIndex }) => nvIndex)).toEqual([
      nvIndices.ekCertificateRsa2048,
      nvIndices.ekCertificateEccP384High,
    ]);
    const endorsementKey = await endorsementKeyOf(executor);
    expect(found.map(({ x509 }) => matchesEndorsementKey(x509, endorsementKey))).toEqual([true, false]);
    // The P-384 key swtpm_setup persists next to it.
    const { outPublic } = await executor.execute(commands.ReadPublic, { objectHandle: 0x8101_0016 });
    expect(found.map(({ x509 }) => matchesEndorsementKey(x509, outPublic))).toEqual([false, true]);
  });

  test('is of another key than the one of the legacy template', async () => {
    await using simulator = await startTpmSimulator({ endorsementCertificate: true });
    await using executor = await createTpmExecutor(simulator.address);
    const { outPublic } = await executor.exclusive((scope) =>
      scope.execute(commands.CreatePrimary, {
        primaryHandle: rh.endorsement,
        inPublic: ekTemplateRsa2048AzureLegacy,
      }),
    );
    await expect(readEndorsementCertificate(executor, outPublic)).rejects.toMatchObject({
      code: 'ERR_TPM_CERTIFICATE_MISMATCH',
      message: expect.stringContaining('0x01c00002') as string,
    });
  });
});

describe('a TPM without', () => {
  test('is ERR_TPM_CERTIFICATE_MISSING', async () => {
    await using simulator = await startTpmSimulator({ provisioned: true });
    await using executor = await createTpmExecutor(simulator.address);
    await expect(
      readEndorsementCertificate(executor, await endorsementKeyOf(executor)),
    ).rejects.toMatchObject({
      code: 'ERR_TPM_CERTIFICATE_MISSING',
    });
  });

  test('a defined but never written index counts as none', async () => {
    await using simulator = await startTpmSimulator({ provisioned: true });
    await writeCertificate(simulator.address, nvIndices.ekCertificateRsa2048, new Uint8Array(0));
    await using executor = await createTpmExecutor(simulator.address);
    expect(await readEndorsementCertificates(executor)).toEqual([]);
  });

  test('rubbish at its place is ERR_TPM_CERTIFICATE_MALFORMED', async () => {
    await using simulator = await startTpmSimulator({ provisioned: true });
    await writeCertificate(simulator.address, nvIndices.ekCertificateRsa2048, new Uint8Array(700).fill(0x30));
    await using executor = await createTpmExecutor(simulator.address);
    await expect(
      readEndorsementCertificate(executor, await endorsementKeyOf(executor)),
    ).rejects.toMatchObject({
      code: 'ERR_TPM_CERTIFICATE_MALFORMED',
    });
  });

  test.each([0x00, 0xff])('padding of 0x%s behind a certificate does not matter', async (padding) => {
    await using simulator = await startTpmSimulator({ endorsementCertificate: true });
    await using executor = await createTpmExecutor(simulator.address);
    const endorsementKey = await endorsementKeyOf(executor);
    const { der } = await readEndorsementCertificate(executor, endorsementKey);
    await executor.close();
    const padded = new Uint8Array(1500).fill(padding);
    padded.set(der);
    await writeCertificate(simulator.address, nvIndices.ekCertificateRsa2048High, padded);
    await using again = await createTpmExecutor(simulator.address);
    const certificates = await readEndorsementCertificates(again);
    const high = certificates.find(({ nvIndex }) => nvIndex === nvIndices.ekCertificateRsa2048High);
    expect(high?.der).toEqual(der);
  });
});

test('an NV area that was changed on the way is not the index it claims to be', async () => {
  await using simulator = await startTpmSimulator({ endorsementCertificate: true });
  const device = await openTpmDevice(simulator.address);
  await using executor = await createTpmExecutor({
    info: device.info,
    close: () => device.close(),
    transmit: async (frame, options) => {
      const response = await device.transmit(frame, options);
      if (Buffer.from(frame).readUInt32BE(6) === commands.NV_ReadPublic.code)
        response[20] = (response[20] ?? 0) ^ 1;
      return response;
    },
  });
  await expect(readEndorsementCertificates(executor)).rejects.toMatchObject({
    code: 'ERR_TPM_NAME_MISMATCH',
  });
  await device.close();
});
