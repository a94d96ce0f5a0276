/** Prints which attestation every carrier carries, and why not, from the manifests of the transports. */
import { attestationKinds } from '@endorse/interface';
import { carriers } from './carriers.ts';

const titles = { tpm: 'TPM', 'symmetric-key': 'Symmetric key', x509: 'X.509' } as const;
const reasons: string[] = [];
const rows = carriers.map(({ name, capabilities }) => {
  const cells = attestationKinds.map((kind) => {
    if (capabilities.attestations.includes(kind)) return 'yes';
    const reason = `${titles[kind]}: ${capabilities.refusals[kind] ?? 'not offered'}.`;
    if (!reasons.includes(reason)) reasons.push(reason);
    return `no (${reasons.indexOf(reason) + 1})`;
  });
  return `| \`${name}\` | ${cells.join(' | ')} | ${capabilities.proxy ? 'yes' : 'no'} |`;
});
const text = [
  `| Carrier | ${attestationKinds.map((kind) => titles[kind]).join(' | ')} | Proxy |`,
  '| --- | --- | --- | --- | --- |',
  ...rows,
  '',
  ...reasons.map((reason, index) => `${index + 1}. ${reason}`),
];
process.stdout.write(`${text.join('\n')}\n`);
