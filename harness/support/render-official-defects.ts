/** Prints the defects of the official SDK as users meet them, and with which versions they were seen. */
import type { OfficialDefect, OurEnd } from './official-defects.ts';
import { observedVersions, officialDefects } from './official-defects.ts';

/** Rows that differ only in their carrier are one to a user. */
const byText = new Map<string, { readonly defect: OfficialDefect; readonly carriers: string[] }>();
for (const defect of officialDefects) {
  const key = `${defect.name}, ${defect.theirs.text}`;
  const { carriers } = byText.get(key) ?? { carriers: [] };
  byText.set(key, { defect, carriers: [...carriers, `\`${defect.carrier}\``] });
}
const rows = [...byText.values()].map(({ defect, carriers }) => {
  const { name, theirs, reason, ours } = defect;
  const cells = [name, carriers.join(', '), `**${theirs.does}**: ${theirs.text}`, reason, describeOurs(ours)];
  return `| ${cells.join(' | ')} |`;
});
const versions = Object.entries(observedVersions).map(([name, version]) => `\`${name}\` ${version}`);
const text = [
  '| Situation | Carrier | Official SDK | Why | Endorse |',
  '| --- | --- | --- | --- | --- |',
  ...rows,
  '',
  `Seen with ${versions.join(', ')}.`,
];
process.stdout.write(`${text.join('\n')}\n`);

function describeOurs({ code, text: more }: OurEnd): string {
  return [code === undefined ? 'registers' : `rejects with \`${code}\``, more].filter(Boolean).join(' ');
}
