import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DeviceAnnouncement } from '@endorse/discovery';
import { jsonDiscoveryCodec as codec } from '@endorse/discovery';

const text = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength });
const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((b) => Buffer.from(b).toString('base64url'));
const announcement: fc.Arbitrary<DeviceAnnouncement> = fc.record(
  {
    serial: text(64),
    vendor: text(64),
    model: text(64),
    mac: fc.stringMatching(/^[0-9a-f]{12}$/),
    hostname: text(64),
    addresses: fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 8 }),
    api: fc.record({
      scheme: fc.constant('https' as const),
      port: fc.integer({ min: 1, max: 65_535 }),
      path: fc.constant('/api/v1'),
    }),
    firmware: text(64),
    software: text(64),
    tlsSha256: fc.stringMatching(/^[0-9a-f]{64}$/),
    state: fc.constantFrom('factory' as const, 'claimed' as const, 'unknown' as const),
    capabilities: fc.array(text(16), { maxLength: 4 }),
  },
  { requiredKeys: ['serial', 'addresses', 'api', 'state', 'capabilities'] },
);

test('any reply that fits decodes to what was encoded', () => {
  fc.assert(
    fc.property(id, announcement, (probeId, device) => {
      const bytes = codec.encodeReply({ id: probeId, device }, { maxBytes: 1200 });
      const decoded = codec.decodeReply(bytes);
      expect(bytes.byteLength).toBeLessThanOrEqual(1200);
      expect(decoded.id).toBe(probeId);
      for (const [name, value] of Object.entries(decoded.device)) {
        expect(value).toEqual(device[name as keyof DeviceAnnouncement]);
      }
    }),
  );
});

test('[D9] a reply is never longer than the probe it answers', () => {
  fc.assert(
    fc.property(id, announcement, (probeId, device) => {
      const probe = codec.encodeProbe({ id: probeId, maxReplyDelayMs: 500 });
      const reply = codec.encodeReply({ id: probeId, device }, { maxBytes: probe.byteLength });
      expect(reply.byteLength).toBeLessThanOrEqual(probe.byteLength);
    }),
  );
});
