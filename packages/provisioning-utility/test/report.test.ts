/** Oracle of CSV: RFC 4180 as `csv-parse` reads it; of XML: the reader below takes nothing but well-formed text apart. */
import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { GatewayError } from '@endorse/thingspro-edge';
import { renderPlan, renderReport, reportFormats } from '@endorse/provisioning-utility';
import type { ProvisioningReport } from '@endorse/provisioning-utility';
import { provisionedSite } from './support/site.ts';

async function report(): Promise<ProvisioningReport> {
  const site = await provisionedSite(3);
  const [, evil] = site.gateways;
  if (evil !== undefined) {
    evil.modelName = '=AIG<301>|"x"\u001B[2J';
    evil.beforeCall = (name) => {
      if (name === 'writeProvisioning')
        throw new GatewayError('ERR_GATEWAY_REFUSED', '<&"no">', { status: 400 });
    };
  }
  const [first] = site.inventory;
  if (first !== undefined) site.inventory[0] = { ...first, ineligibleFor: ['foreign-model'] };
  return site.apply(await site.plan());
}

test('[X6] every format is the same for the same report, and JSON reads back', async () => {
  const made = await report();
  for (const format of reportFormats) expect(renderReport(made, format)).toBe(renderReport(made, format));
  expect(JSON.parse(renderReport(made, 'json'))).toEqual(made);
});

test('CSV has a row for each device, and nothing a spreadsheet would calculate', async () => {
  const rows = parse<Record<string, string>>(renderReport(await report(), 'csv'), { columns: true });
  expect(rows.map(({ serial, outcome, code }) => [serial, outcome, code])).toEqual([
    ['TBBAA1234500', 'skipped', 'ERR_DEVICE_INELIGIBLE'],
    ['TBBAA1234501', 'failed', 'ERR_GATEWAY_REFUSED'],
    ['TBBAA1234502', 'provisioned', ''],
  ]);
  expect(rows[1]?.['model']).toMatch(/^'=AIG/);
});

test('JUnit counts failures and is well-formed whatever a device is called', async () => {
  const xml = renderReport(await report(), 'junit');
  expect(xml).toContain('tests="3" failures="1" skipped="1"');
  expect(xml).toContain('&lt;&amp;&quot;no&quot;&gt;');
  expect(xml).not.toContain('\u001B');
  const open: string[] = [];
  for (const [, slash, name, empty] of xml
    .replace(/^<\?.*?\?>/, '')
    .matchAll(/<(\/?)([a-z]+)(?:\s+[a-z]+="[^"<]*")*(\/?)>/g)) {
    if (slash === '/') expect(open.pop()).toBe(name);
    else if (empty === '') open.push(name ?? '');
  }
  expect(open).toEqual([]);
});

test('Markdown and the table keep a device to its cell and its line', async () => {
  const made = await report();
  const markdown = renderReport(made, 'markdown');
  const rows = markdown.split('\n').filter((line) => line.startsWith('| TBBAA'));
  expect(rows).toHaveLength(3);
  for (const row of rows) expect(row.replaceAll('\\|', '').split('|')).toHaveLength(10);
  const table = renderReport(made, 'table');
  expect(table).not.toContain('\u001B');
  expect(table).toContain('1 provisioned, 1 skipped, 1 failed');
});

test('a plan shows verdicts, what is going to happen, fingerprints and reasons', async () => {
  const site = await provisionedSite(2);
  site.add('TBBAA1234500', 9);
  const text = renderPlan(await site.plan(), 'details');
  expect(text).toContain('enroll, write-back, enable, configure, close-doors');
  expect(text).toContain('abababababababab');
  expect(text).toContain('several devices say they are TBBAA1234500');
  expect(text).toContain('1 ready, 2 conflict');
});
