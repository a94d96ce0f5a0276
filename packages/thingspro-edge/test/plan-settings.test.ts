import type { GatewaySettings } from '@endorse/thingspro-edge';
import { familyOfModel, fingerprintOfPem, parseFingerprint, planSettings } from '@endorse/thingspro-edge';
import { describe, expect, test } from 'vitest';

const current: GatewaySettings = {
  hostName: 'moxa',
  discovery: true,
  ssh: { enabled: true, port: 22 },
  serialConsole: true,
  https: { enabled: true, port: 8443 },
  services: [
    { id: 'lan2', available: true, enabled: true },
    { id: 'ntp', available: true, enabled: false },
    { id: 'dhcpserver1', available: false, enabled: false },
  ],
};

const bare: GatewaySettings = {
  hostName: 'switch',
  discovery: undefined,
  ssh: undefined,
  serialConsole: undefined,
  https: undefined,
  services: undefined,
};

describe('the order of settings', () => {
  test('[F3] what cuts the connection comes last, after the doors', () => {
    const steps = planSettings(
      current,
      {
        https: { port: 443, enabled: false },
        services: { lan2: false, ntp: true },
        discovery: false,
        ssh: { enabled: false },
        hostName: 'line-1',
      },
      { allowLockout: true },
    );
    expect(steps.map(({ name }) => name)).toEqual([
      'host-name',
      'service:ntp',
      'ssh',
      'discovery',
      'service:lan2',
      'https-port',
      'https',
    ]);
    const cutting = steps.map((step) => step.effect === 'change' && step.cutsConnection);
    expect(cutting).toEqual([false, false, false, false, true, true, true]);
  });

  test('[F1] equal values are unchanged, and nothing is said about what is not desired', () => {
    expect(planSettings(current, { discovery: true, ssh: { port: 22 } })).toEqual([
      { effect: 'unchanged', name: 'ssh', from: 'on, port 22' },
      { effect: 'unchanged', name: 'discovery', from: 'on' },
    ]);
    expect(planSettings(current, {})).toEqual([]);
    expect(planSettings(current, { ssh: {} })).toEqual([]);
  });

  test('[F6] what a gateway does not have is not applicable, with the reason', () => {
    const desired = {
      discovery: false,
      ssh: { enabled: false },
      serialConsole: false,
      https: { port: 443 },
      services: { ntp: true },
    };
    expect(planSettings(bare, desired).every(({ effect }) => effect === 'not-applicable')).toBe(true);
    expect(planSettings(current, { services: { dhcpserver1: true, telnet: true } })).toEqual([
      { effect: 'not-applicable', name: 'service:dhcpserver1', reason: 'the service is not available' },
      { effect: 'not-applicable', name: 'service:telnet', reason: 'this gateway has no such service' },
    ]);
  });

  test.each([
    [{ https: { enabled: false } }, 'desired.https.enabled'],
    [{ services: { httpsservice: false } }, 'desired.services.httpsservice'],
    [{ services: { lan1: false } }, 'desired.services.lan1'],
  ])('[F4] %o is refused unless it is forced', (desired, argument) => {
    expect(() => planSettings(current, desired)).toThrow(expect.objectContaining({ argument }));
    expect(() => planSettings(current, desired, { allowLockout: true })).not.toThrow();
  });

  test.each([
    [{ https: { port: 80 } }, 'ERR_OUT_OF_RANGE'],
    [{ https: { port: 70_000 } }, 'ERR_OUT_OF_RANGE'],
    [{ ssh: { port: 0 } }, 'ERR_OUT_OF_RANGE'],
    [{ hostName: '1st' }, 'ERR_INVALID_ARGUMENT'],
    [{ hostName: 'under_score' }, 'ERR_INVALID_ARGUMENT'],
    [{ hostName: 'x'.repeat(65) }, 'ERR_INVALID_ARGUMENT'],
  ])('%o is refused', (desired, code) => {
    expect(() => planSettings(current, desired)).toThrow(expect.objectContaining({ code }));
  });
});

test.each([
  ['AIG-301-T-US-AZU-LX', 'aig-301'],
  ['AIG-501-T-AZU-LX', 'aig-301'],
  ['UC-8112A-ME-T-LX', 'aig-301'],
  ['aig-302-T', 'aig-302'],
  ['AIG-3010', undefined],
  ['IKS-G6824A-8GSFP', undefined],
])('the family of %s is %s', (model, family) => {
  expect(familyOfModel(model)).toBe(family);
});

test('fingerprints are taken in every usual spelling, and nothing else is', () => {
  const hex = 'e3c3a797b7f1d82e85415a643ec9c1cf5fda7b23d3e4617f49a9389413d8dc61';
  const colons = hex.toUpperCase().match(/../g)?.join(':') ?? '';
  for (const text of [
    hex,
    hex.toUpperCase(),
    `sha256:${hex}`,
    colons,
    `sha256 Fingerprint=${colons}`,
    ` SHA-256:${hex}\n`,
  ]) {
    expect(parseFingerprint(text)).toBe(hex);
  }
  for (const text of ['', hex.slice(2), `${hex}00`, hex.replace('e', 'g'), 'sha1:da39']) {
    expect(() => parseFingerprint(text)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }));
  }
  expect(() => fingerprintOfPem('no certificate')).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
  );
});
