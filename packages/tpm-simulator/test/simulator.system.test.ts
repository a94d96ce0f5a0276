/**
 * Oracles: tpm2-tools (its own templates, its own mssim and swtpm clients) and OpenSSL through
 * `node:crypto` for the certificates swtpm's authority issues.
 */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readTpmSnapshot, startMssimBridge, startTpmSimulator } from '@endorse/tpm-simulator';
import { describe, expect, it } from 'vitest';
import { command } from './support/raw-client.ts';
import { bytes } from './support/tpm-bytes.ts';

const run = promisify(execFile);

interface Tools extends AsyncDisposable {
  /** Runs one of tpm2-tools and returns what it printed. */
  run(program: string, ...options: readonly string[]): Promise<string>;
  file(name: string): string;
}

async function useTools(tcti: string): Promise<Tools> {
  const directory = await mkdtemp(join(tmpdir(), 'endorse-test-'));
  return {
    run: async (program, ...options) => {
      const { stdout } = await run(program, options, { env: { ...process.env, TPM2TOOLS_TCTI: tcti } });
      return stdout;
    },
    file: (name) => join(directory, name),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

describe.each(['unix', 'tcp'] as const)('a provisioned TPM on %s, seen by tpm2-tools', (address) => {
  it('has the EK of the TCG template at 0x81010001', async () => {
    await using simulator = await startTpmSimulator({ provisioned: true, address });
    await using tools = await useTools(simulator.tcti);
    await tools.run('tpm2_createek', '-G', 'rsa', '-c', tools.file('ek'), '-u', tools.file('made'));
    await tools.run('tpm2_readpublic', '-c', '0x81010001', '-o', tools.file('persisted'));
    expect(await readFile(tools.file('persisted'))).toEqual(await readFile(tools.file('made')));
  });

  it('has the SRK of the provisioning guidance at 0x81000001', async () => {
    await using simulator = await startTpmSimulator({ provisioned: true, address });
    await using tools = await useTools(simulator.tcti);
    // A size in the byte order of the host, then 256 zero bytes.
    await writeFile(tools.file('unique'), Buffer.concat([Uint8Array.of(0x00, 0x01), Buffer.alloc(256)]));
    const template = ['-C', 'o', '-g', 'sha256', '-G', 'rsa2048:null:aes128cfb', '-u', tools.file('unique')];
    const attributes = 'restricted|decrypt|fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda';
    await tools.run('tpm2_createprimary', ...template, '-a', attributes, '-c', tools.file('srk'));
    await tools.run('tpm2_readpublic', '-c', tools.file('srk'), '-o', tools.file('made'));
    await tools.run('tpm2_readpublic', '-c', '0x81000001', '-o', tools.file('persisted'));
    expect(await readFile(tools.file('persisted'))).toEqual(await readFile(tools.file('made')));
  });
});

describe('a TPM with an endorsement certificate', () => {
  it('holds one for its EK, issued by the authority it names', async () => {
    await using simulator = await startTpmSimulator({ endorsementCertificate: true });
    const [rootPem, issuerPem] = simulator.endorsementRootsPem;
    const root = new X509Certificate(rootPem ?? '');
    const issuer = new X509Certificate(issuerPem ?? '');
    await using tools = await useTools(simulator.tcti);
    await tools.run('tpm2_nvread', '0x01c00002', '-o', tools.file('certificate'));
    const certificate = new X509Certificate(await readFile(tools.file('certificate')));
    expect(certificate.verify(issuer.publicKey)).toBe(true);
    expect(issuer.verify(root.publicKey)).toBe(true);
    expect(root.verify(root.publicKey)).toBe(true);
    await tools.run('tpm2_readpublic', '-c', '0x81010001', '-f', 'pem', '-o', tools.file('ek.pem'));
    expect(certificate.publicKey.export({ type: 'spki', format: 'pem' })).toBe(
      await readFile(tools.file('ek.pem'), 'utf8'),
    );
  });

  it('has an SRK too, and loses nothing in a restart', async () => {
    await using simulator = await startTpmSimulator({ endorsementCertificate: true });
    const before = await readTpmSnapshot(simulator.address);
    expect(before.persistent).toEqual(expect.arrayContaining([0x8100_0001, 0x8101_0001]));
    expect(before.nvIndices).toContain(0x01c0_0002);
    await simulator.restart();
    expect(await readTpmSnapshot(simulator.address)).toEqual(before);
  });
});

describe('the mssim bridge', () => {
  it('serves the mssim client of tpm2-tss', async () => {
    await using simulator = await startTpmSimulator({ provisioned: true });
    await using bridge = await startMssimBridge({ target: simulator.address });
    await using tools = await useTools(`mssim:host=127.0.0.1,port=${bridge.commandPort}`);
    await tools.run('tpm2_readpublic', '-c', '0x81010001', '-f', 'tss', '-o', tools.file('ek'));
    const answer = await command(simulator.address, bytes.readPublic(0x8101_0001));
    expect(answer.slice(20)).toContain((await readFile(tools.file('ek'))).toString('hex'));
    expect(await tools.run('tpm2_getrandom', '--hex', '8')).toMatch(/^[0-9a-f]{16}$/);
  });
});
