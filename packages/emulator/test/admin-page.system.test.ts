/**
 * The admin page in the distribution's Chromium: what it shows is what devices and the operator really did, its switches
 * really make things go wrong, and it fetches nothing from anywhere else. With `UPDATE_SCREENSHOT=1` the picture in
 * `docs/` is taken anew.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EmulatorFixture } from './support/http-client.ts';
import { emulatorFixture, tpmDevice } from './support/http-client.ts';
import { softwareTpm } from './support/software-tpm.ts';

let browser: Browser;
beforeAll(async () => {
  const executablePath = execFileSync('sh', ['-c', 'command -v chromium']).toString().trim();
  browser = await chromium.launch({ executablePath, args: ['--disable-gpu'] });
});
afterAll(() => browser.close());

const tpm = softwareTpm();

async function openPage({ emulator }: EmulatorFixture): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1360, height: 1000 }, colorScheme: 'light' });
  const { url = '', token } = emulator.admin ?? {};
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) throw new Error(`the page fetched ${request.url()}`);
  });
  await page.goto(`${url}/#token=${token?.revealText() ?? ''}`);
  await page.getByText('live', { exact: true }).waitFor();
  return page;
}

async function register(fixture: EmulatorFixture, registrationId: string): Promise<void> {
  const device = tpmDevice(fixture, registrationId, tpm);
  const token = await device.solve(await device.requestChallenge());
  const accepted = await device.register(token);
  await device.poll(token, String(accepted.json()['operationId']));
}

test('a registration arrives live, with its steps, timings and the wrapped key taken apart', async () => {
  await using fixture = await emulatorFixture({ adminPort: 0, hubs: [{ name: 'east' }, { name: 'west' }] });
  const { emulator } = fixture;
  const page = await openPage(fixture);
  await page.getByText('No device has come yet.').waitFor();
  const { endorsementKey } = tpm;
  await emulator.createTpmEnrollment({ registrationId: 'press-line-2', endorsementKey });
  await emulator.createTpmEnrollment({ registrationId: 'pump-7', endorsementKey });
  await emulator.createSymmetricKeyEnrollment({ registrationId: 'meter-12', provisioningStatus: 'disabled' });
  await emulator.createSymmetricKeyEnrollmentGroup({ enrollmentGroupId: 'plant-7' });
  const enrollments = page.getByRole('table').filter({ hasText: 'Proof' });
  await enrollments.getByText('group', { exact: true }).waitFor();
  await register(fixture, 'pump-7');
  const trace = page.locator('details').filter({ hasText: 'pump-7' });
  await trace.getByText('assigned', { exact: true }).waitFor();
  expect(await trace.locator('li.step').count()).toBe(3);
  const first = await trace.locator('li.step').first().innerText();
  expect(first).toContain('register');
  expect(first).toContain('+0 ms');
  expect(first).toContain('TPM2B_ID_OBJECT');
  expect(first).toContain('52 B');
  await fixture.send({
    method: 'PUT',
    path: '/0ne00000000/registrations/stranger/register?api-version=2021-06-01',
    headers: { 'content-type': 'application/json' },
    body: '{"registrationId":"stranger"}',
  });
  await page
    .locator('details')
    .filter({ hasText: 'stranger' })
    .getByText('refused', { exact: true })
    .waitFor();
  await register(fixture, 'press-line-2');
  await page.locator('.figure').filter({ hasText: 'assigned' }).getByText('2', { exact: true }).waitFor();
  expect(await page.locator('#hubs').innerText()).toContain(emulator.assignedHub);

  if (process.env['UPDATE_SCREENSHOT'] === '1') {
    await page.locator('label').filter({ hasText: 'Slow answers' }).click();
    await page.getByText('Slow answers').waitFor();
    const path = fileURLToPath(new URL('../../../docs/images/emulator-admin.png', import.meta.url));
    await page.screenshot({ path, fullPage: true });
  }
});

test('a switch makes a device fail, and off again lets it through', async () => {
  await using fixture = await emulatorFixture({ adminPort: 0 });
  const { emulator } = fixture;
  await emulator.createTpmEnrollment({ registrationId: 'device-1', endorsementKey: tpm.endorsementKey });
  const page = await openPage(fixture);
  const throttle = page.getByRole('checkbox', { name: 'Throttle' });
  await throttle.check();
  await expect.poll(() => emulator.faults.list().map(({ name }) => name)).toEqual(['busy']);
  const device = tpmDevice(fixture, 'device-1', tpm);
  const token = await device.solve(await device.requestChallenge());
  const refused = await device.register(token);
  expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1']);
  await page.getByText('hit 1 request', { exact: false }).waitFor();
  await throttle.uncheck();
  await expect.poll(() => emulator.faults.list()).toEqual([]);
  expect((await device.register(token)).status).toBe(202);
});

test('connection strings are hidden until they are copied, and without the token there is nothing', async () => {
  await using fixture = await emulatorFixture({ adminPort: 0 });
  const page = await openPage(fixture);
  const { serviceConnectionString, admin } = fixture.emulator;
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const connect = page.locator('section').filter({ hasText: 'ID scope' });
  const key = serviceConnectionString.revealText().split('SharedAccessKey=')[1] ?? '';
  expect(await page.content()).not.toContain(key);
  expect(page.url()).not.toContain('token');
  await connect.getByRole('button', { name: 'Copy' }).last().click();
  await connect.getByRole('button', { name: 'Copied' }).waitFor();
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(serviceConnectionString.revealText());

  const stranger = await (await browser.newContext()).newPage();
  await stranger.goto(admin?.url ?? '');
  await stranger.getByText('Token needed').waitFor();
  expect(await stranger.locator('main').isVisible()).toBe(false);
});
