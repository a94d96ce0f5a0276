import { attestationKinds } from '@endorse/interface';
import { describe, expect, test } from 'vitest';
import { watchResources } from '../common/resources.ts';
import type { TransportSetup } from './fixture.ts';
import { attestationOf } from './registration-flow.ts';

/** The manifest is complete, frozen and stable; what it leaves out is refused as documented. */
export function manifestTests(setup: TransportSetup): void {
  describe('manifest', () => {
    test('is complete, frozen and stable', async () => {
      await using fixture = await setup();
      await using other = await setup();
      const { specificationVersion, capabilities } = fixture.transport;
      expect(specificationVersion).toBe('v1');
      const { carrier, attestations, refusals, challenge, proxy } = capabilities;
      expect(carrier).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(typeof proxy).toBe('boolean');
      expect(attestations.length, 'a transport carries at least one attestation').toBeGreaterThan(0);
      expect(new Set(attestations).size, 'no attestation is named twice').toBe(attestations.length);
      expect(attestationKinds).toEqual(expect.arrayContaining([...attestations]));
      for (const kind of attestationKinds) {
        if (attestations.includes(kind)) {
          expect(refusals[kind], `${kind} is carried and must not be refused`).toBeUndefined();
        } else {
          expect(refusals[kind], `the refusal of ${kind} must say why`).toMatch(/\S{3}/);
        }
      }
      expect(['request', 'handshake', 'none']).toContain(challenge);
      expect(challenge !== 'none', 'there is a challenge exactly if TPM is carried').toBe(
        attestations.includes('tpm'),
      );
      for (const part of [capabilities, attestations, refusals]) expect(Object.isFrozen(part)).toBe(true);
      expect(other.transport.capabilities, 'must be the same for every instance').toEqual(capabilities);
    });

    test.each(attestationKinds)('%s is either carried or refused before any IO', async (kind) => {
      await using fixture = await setup();
      const { transport, devices, silentHosts } = fixture;
      const { attestations } = transport.capabilities;
      const anyDevice = Object.values(devices)[0];
      if (anyDevice === undefined) expect.fail('the fixture must bring a device');
      const target = { ...anyDevice.target, provisioningHost: silentHosts[0]?.host ?? '' };
      if (attestations.includes(kind)) {
        const device = devices[kind];
        if (device === undefined) expect.fail(`the fixture must bring a device for ${kind}`);
        expect(device.kind).toBe(kind);
        const attestation = await attestationOf(device);
        using watch = watchResources();
        const session = transport.openSession(target, attestation);
        expect(watch.count, 'opening a session must not connect').toBe(0);
        await session.close();
      } else {
        // A refusal must not depend on the certificate being usable.
        const attestation = { kind, certificate: undefined } as never;
        expect(() => transport.openSession(target, attestation)).toThrowError(
          expect.objectContaining({
            code: 'ERR_UNSUPPORTED_CAPABILITY',
            required: kind,
            available: [...attestations],
          }),
        );
      }
      expect(silentHosts[0]?.connections).toBe(0);
    });

    test.each([
      ['a host with a scheme', { provisioningHost: 'https://dps.example.test' }],
      ['an empty host', { provisioningHost: '' }],
      ['a port out of range', { provisioningHost: 'dps.example.test:99999' }],
      ['an empty ID scope', { idScope: '' }],
      ['an ID scope with a slash', { idScope: '0ne/1' }],
      ['an empty registration id', { registrationId: '' }],
      ['a registration id with a space', { registrationId: 'a b' }],
      ['a registration id that is too long', { registrationId: 'a'.repeat(129) }],
    ])('%s is refused before any IO', async (_title, wrong) => {
      await using fixture = await setup();
      const device = Object.values(fixture.devices)[0];
      if (device === undefined) expect.fail('the fixture must bring a device');
      const attestation = await attestationOf(device);
      const open = (): unknown => fixture.transport.openSession({ ...device.target, ...wrong }, attestation);
      expect(open).toThrowError(
        expect.objectContaining({
          name: 'InvalidArgumentError',
          code: expect.stringMatching(/^ERR_(INVALID_ARGUMENT|OUT_OF_RANGE)$/) as unknown,
        }),
      );
    });
  });
}
