/** Oracle: the vendor's published OpenAPI documents of both families, written down in `fixtures/api-contract.json`. */
import { Secret } from '@endorse/interface';
import { expect, test } from 'vitest';
import type { GatewayFamily } from '@endorse/thingspro-edge';
import { operationOf, operationsOf, violations } from './support/api-contract.ts';
import { certificates, signIn, startGateway } from './support/gateway.ts';

const families: readonly GatewayFamily[] = ['aig-301', 'aig-302'];

test.each(families)('every request to an %s is one that its vendor publishes', async (family) => {
  await using gateway = await startGateway({ family, endorsementKey: '' });
  const session = await signIn(gateway);
  await session.getIdentity();
  await session.setHostName('line-1');
  await session.getNetworkPorts();
  await session.getTime();
  await session.setTime(1_700_000_000_000);
  await session.readEndorsementKey({ prepare: true }).catch(() => undefined);
  await session.writeProvisioning({
    scopeId: '0ne00000001',
    registrationId: 'tbbdb1179242',
    globalEndpoint: 'https://global.azure-devices-provisioning.net',
  });
  await session.setProvisioningEnabled(true);
  await session.restartEdge();
  await session.resetEdge();
  await session.getSettings();
  await session.writeSetting({ setting: 'discovery', value: false });
  await session.writeSetting({ setting: 'serial-console', value: false });
  await session.writeSetting({ setting: 'ssh', value: { enabled: false, port: 22 } });
  await session.writeSetting({ setting: 'https-port', value: gateway.port });
  if (session.profile.canDisableHttps) await session.writeSetting({ setting: 'https', value: true });
  if (session.profile.hasServices) {
    await session.writeSetting({ setting: 'service', id: 'opcuaserver', value: false });
    await session.writeSetting({ setting: 'service', id: 'opcuaserver', value: true });
  }
  const { cert, key } = certificates.second;
  await session.replaceHttpsCertificate({ certificatePem: cert, privateKeyPem: Secret.fromText(key) });
  await session.changePassword({ newPassword: Secret.fromText('battery-staple-2') });
  await session.close();

  expect(gateway.requests.flatMap((request) => violations(family, request))).toEqual([]);
  // And nothing of what the fixture lists is left unused, so that it cannot rot.
  const used = new Set(gateway.requests.map(operationOf));
  expect(operationsOf(family).filter((operation) => !used.has(operation))).toEqual([]);
});

test.each([
  ['an unknown path', { method: 'GET', path: '/device/srk', text: '' }, /no operation/],
  [
    'a field that is not published',
    { method: 'PUT', path: '/system/discovery', text: '{"enabled":true}' },
    /no field enabled/,
  ],
  [
    'a field of another type',
    { method: 'PUT', path: '/system/discovery', text: '{"enable":"yes"}' },
    /not boolean/,
  ],
  [
    'a registration id a gateway refuses',
    { method: 'PATCH', path: '/azure-iotedge', text: '{"provisioning":{"registrationId":"A.b"}}' },
    /registrationId/,
  ],
  [
    'a service that does not exist',
    { method: 'PUT', path: '/system/services/telnet/disable', text: '' },
    /no operation/,
  ],
] as const)('the contract finds %s', (_what, request, problem) => {
  const headers = { authorization: 'Bearer x', 'content-type': 'application/json' };
  expect(violations('aig-301', { ...request, headers }).join('\n')).toMatch(problem);
});
