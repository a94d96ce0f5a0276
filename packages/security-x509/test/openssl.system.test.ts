/** Oracle: the `openssl` command makes the files, with everything at its defaults; nothing here is recorded. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { Secret } from '@endorse/interface';
import { loadX509SecurityClient } from '@endorse/security-x509';
import { expect, test } from 'vitest';
import { temporaryFolder } from './support/folder.ts';

const keyKinds = [
  ['RSA-2048', ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']],
  ['P-256', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']],
] as const;

test.each(keyKinds)('%s: PEM and PKCS#12 of openssl are the same identity', async (_kind, keyOptions) => {
  using folder = temporaryFolder();
  const openssl = (...args: readonly string[]): void =>
    void execFileSync('openssl', args, { cwd: folder.path, stdio: 'pipe', timeout: 60_000 });
  openssl('genpkey', ...keyOptions, '-out', 'ca.key');
  openssl(
    'req',
    '-x509',
    '-new',
    '-key',
    'ca.key',
    '-subj',
    '/CN=Live authority',
    '-days',
    '2',
    '-out',
    'ca.pem',
  );
  openssl('genpkey', ...keyOptions, '-out', 'device.key');
  openssl('req', '-new', '-key', 'device.key', '-subj', '/O=Maker/CN=live-device-1', '-out', 'device.csr');
  const signing = ['-req', '-in', 'device.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
  openssl('x509', ...signing, '-days', '1', '-out', 'device.pem');
  const exporting = [
    '-inkey',
    'device.key',
    '-in',
    'device.pem',
    '-certfile',
    'ca.pem',
    '-out',
    'device.p12',
  ];
  openssl('pkcs12', '-export', ...exporting, '-passout', 'pass:live');

  const file = (name: string): string => join(folder.path, name);
  await using pem = await loadX509SecurityClient({
    certificateFile: file('device.pem'),
    privateKeyFile: file('device.key'),
    chainFile: file('ca.pem'),
  });
  await using pkcs12 = await loadX509SecurityClient({
    pkcs12File: file('device.p12'),
    passphrase: Secret.fromText('live'),
  });
  expect(await pem.getRegistrationId()).toBe('live-device-1');
  expect(await pkcs12.getRegistrationId()).toBe('live-device-1');
  const fromPem = await pem.getCertificate();
  const fromPkcs12 = await pkcs12.getCertificate();
  expect(fromPkcs12.certificatePem).toBe(fromPem.certificatePem);
  expect(fromPkcs12.privateKeyPem.revealText()).toBe(fromPem.privateKeyPem.revealText());
  expect(new X509Certificate(fromPem.certificatePem).subject).toBe('O=Maker\nCN=live-device-1');
});
