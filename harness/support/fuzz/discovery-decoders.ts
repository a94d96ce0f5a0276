/** Every decoder of `@endorse/discovery`. */
import { isDeepStrictEqual } from 'node:util';
import type { DeviceAnnouncement } from '@endorse/discovery';
import {
  isPlaceholderSerial,
  jsonDiscoveryCodec as codec,
  localSubnetOf,
  parseTargets,
} from '@endorse/discovery';
import { isEndorseError } from '@endorse/interface';
import { mutatedBytes, mutatedJson, mutatedText } from '@endorse/fuzzing';
import * as fc from 'fast-check';
import type { DecoderTarget } from './decoder.ts';
import { decoder } from './decoder.ts';

/** A gateway as it leaves the works. */
export const gateway: DeviceAnnouncement = {
  serial: 'TBBAA1234501',
  vendor: 'Example',
  model: 'AIG-301-T-AZU-LX',
  mac: '0090e8000001',
  addresses: ['192.168.3.21', 'fe80::1'],
  api: { scheme: 'https', port: 8443, path: '/api/v1', kind: 'thingspro-edge' },
  hostname: 'gateway-1',
  firmware: '1.4',
  tlsSha256: 'ab'.repeat(32),
  state: 'factory',
  capabilities: ['tpm', 'dps'],
};

const id = 'A'.repeat(22);

/** Datagrams of both kinds, by who sends them. */
export const datagrams = {
  probes: [
    codec.encodeProbe({ id, maxReplyDelayMs: 500 }),
    codec.encodeProbe({ id, maxReplyDelayMs: 0, filter: { vendor: 'Example', state: 'factory' } }),
  ],
  replies: [codec.encodeReply({ id, device: gateway }, { maxBytes: 1_200 })],
} as const;

function messages(recordings: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const texts = mutatedJson(recordings.map((bytes) => Buffer.from(bytes).toString('utf8')));
  const asBytes = texts.map((text) => (typeof text === 'string' ? Uint8Array.from(Buffer.from(text)) : text));
  return fc.oneof({ weight: 3, arbitrary: asBytes }, { weight: 1, arbitrary: mutatedBytes(recordings) });
}

/** What was decoded is encoded without loss, but for what does not fit any more. */
function checkEncoding<Message extends object>(decoded: Message, encode: () => Message): void {
  let again: Message;
  try {
    again = encode();
  } catch (error) {
    if (isEndorseError(error) && error.code === 'ERR_LOCAL_UNENCODABLE') return;
    throw error;
  }
  const kept = Object.entries(again).every(([name, value]) =>
    isDeepStrictEqual(value, decoded[name as keyof Message]),
  );
  if (!kept) throw new Error(`becomes ${JSON.stringify(again)}`);
}

/** Every target of the package. */
export const discoveryDecoders: readonly DecoderTarget[] = [
  decoder('discovery jsonDiscoveryCodec.decodeProbe', {
    inputs: messages(datagrams.probes),
    decode: codec.decodeProbe,
    check: (probe) => checkEncoding(probe, () => codec.decodeProbe(codec.encodeProbe(probe))),
  }),
  decoder('discovery jsonDiscoveryCodec.decodeReply', {
    inputs: messages(datagrams.replies),
    decode: codec.decodeReply,
    check: (reply) =>
      checkEncoding(
        reply.device,
        () => codec.decodeReply(codec.encodeReply(reply, { maxBytes: 1_200 })).device,
      ),
  }),
  decoder('discovery parseTargets', {
    inputs: fc.array(
      mutatedText(['192.0.2.7', '192.0.2.7:40500', '192.0.2.0/28', 'fe80::1%eth0', '[2001:db8::1]:40500']),
      {
        maxLength: 3,
      },
    ),
    decode: (texts) => parseTargets(texts, 40_404),
    refuses: (error) => isEndorseError(error) && error.fault === 'caller',
    check: (targets) => {
      if (targets.length > 1_024) throw new Error(`${targets.length} targets`);
    },
  }),
  decoder('discovery isPlaceholderSerial', {
    inputs: mutatedText(['TBBAA1234501', '0000000', 'to be filled by O.E.M.', '1234567']),
    decode: isPlaceholderSerial,
  }),
  decoder('discovery localSubnetOf', {
    inputs: mutatedText(['192.168.3.21', 'fe80::1%eth0', '::1']),
    decode: (address) =>
      localSubnetOf(address, [
        {
          interfaceName: 'eth0',
          family: 'ipv4',
          address: '192.168.3.1',
          netmask: '255.255.255.0',
          internal: false,
        },
        {
          interfaceName: 'eth0',
          family: 'ipv6',
          address: 'fe80::2',
          netmask: 'ffff:ffff:ffff:ffff::',
          internal: false,
        },
      ]),
  }),
];
