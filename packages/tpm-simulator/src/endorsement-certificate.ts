import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SimulatorError } from './errors.ts';
import { findProgram } from './find-program.ts';

const run = promisify(execFile);
// Making a certificate authority takes about a second, several on a busy machine.
const timeoutMs = 60_000;

/**
 * Manufactures a TPM as its vendor would: EK certificates in NV, issued by an authority made for it.
 *
 * @param directory receives the authority's files.
 * @param stateDirectory receives the TPM's state.
 * @returns PEM certificates of the authority, root first.
 */
export async function issueEndorsementCertificate(
  directory: string,
  stateDirectory: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const setup = await findProgram('swtpm_setup');
  const authorityTool = await findProgram('swtpm_localca').catch(() => '/usr/share/swtpm/swtpm-localca');
  const authority = join(directory, 'authority');
  await mkdir(authority, { mode: 0o700 });
  await mkdir(stateDirectory, { mode: 0o700 });
  const config = join(authority, 'setup.conf');
  const caConfig = join(authority, 'ca.conf');
  const caOptions = join(authority, 'ca.options');
  await writeFile(
    config,
    lines(
      `create_certs_tool = ${authorityTool}`,
      `create_certs_tool_config = ${caConfig}`,
      `create_certs_tool_options = ${caOptions}`,
      'active_pcr_banks = sha256',
    ),
  );
  await writeFile(
    caConfig,
    lines(
      `statedir = ${authority}`,
      `signingkey = ${join(authority, 'signing-key.pem')}`,
      `issuercert = ${join(authority, 'issuer.pem')}`,
      `certserial = ${join(authority, 'serial')}`,
    ),
  );
  await writeFile(
    caOptions,
    lines('--platform-manufacturer Endorse', '--platform-version 1.0', '--platform-model swtpm'),
  );
  const options = [
    '--tpm2',
    '--create-ek-cert',
    '--lock-nvram',
    '--tpm-state',
    stateDirectory,
    '--config',
    config,
  ];
  try {
    await run(setup, options, { timeout: timeoutMs, signal });
  } catch (cause) {
    signal?.throwIfAborted();
    const printed = cause instanceof Error ? cause.message.slice(-2_000) : '';
    throw new SimulatorError('ERR_SIMULATOR_START', `swtpm_setup failed: ${printed}`, {
      cause,
      remedy: 'swtpm_setup needs certtool: Debian/Ubuntu `sudo apt-get install swtpm-tools gnutls-bin`.',
    });
  }
  const names = ['swtpm-localca-rootca-cert.pem', 'issuer.pem'];
  return Promise.all(names.map((name) => readFile(join(authority, name), 'utf8')));
}

function lines(...text: string[]): string {
  return `${text.join('\n')}\n`;
}
