import type { Finding } from './compare.ts';

/** Writes the findings down for people: what differs first, side by side, then every assumption with its verdict. */
export function renderReport(findings: readonly Finding[], at: Date): string {
  const count = (verdict: Finding['verdict']): number =>
    findings.filter((finding) => finding.verdict === verdict).length;
  const agreeing = findings.reduce((sum, finding) => sum + finding.agreeing, 0);
  const differing = findings.filter(({ verdict }) => verdict === 'differs');
  const unseen = findings.filter(({ verdict }) => verdict === 'unseen');
  const measured = findings.filter(({ figures }) => Object.keys(figures).length > 0);
  return [
    '# The emulator and the real service',
    '',
    `${at.toISOString().slice(0, 10)}: of ${findings.length} assumptions ${count('holds')} hold, ${count('differs')} do ` +
      `not, ${count('unseen')} could not be observed. ${agreeing} facts are the same, ` +
      `${differing.reduce((sum, { differences }) => sum + differences.length, 0)} differ.`,
    '',
    '## Differences',
    '',
    ...(differing.length === 0 ? ['None.', ''] : differing.flatMap(renderDifferences)),
    ...(unseen.length === 0 ? [] : ['## Not observed', '', ...unseen.flatMap(renderFailures), '']),
    '## Assumptions',
    '',
    '| What was done | What the emulator assumes | Verdict | Same facts | Other facts |',
    '| --- | --- | --- | --- | --- |',
    ...findings.map(({ name, assumes, verdict, agreeing: same, differences }) =>
      row([name, assumes, verdict, String(same), String(differences.length)]),
    ),
    '',
    ...(measured.length === 0
      ? []
      : ['## Figures of the service', '', ...measured.flatMap(renderFigures), '']),
    'Ids, hosts, keys and tokens are replaced by what they are; texts for people are shown.',
    '',
  ].join('\n');
}

function renderDifferences({ name, assumes, differences }: Finding): readonly string[] {
  return [
    `### ${name}`,
    '',
    `Assumed: ${assumes}`,
    '',
    '| Fact | Emulator | Service |',
    '| --- | --- | --- |',
    ...differences.map(({ fact, emulator, service }) => row([fact, emulator ?? '–', service ?? '–'])),
    '',
  ];
}

function renderFailures({ name, failures }: Finding): readonly string[] {
  return Object.entries(failures).map(([side, failure]) => `- ${name}: ${failure}, on the ${side}`);
}

function renderFigures({ name, figures }: Finding): readonly string[] {
  return Object.entries(figures).map(([what, figure]) => `- ${name}, ${what}: ${figure}`);
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}
