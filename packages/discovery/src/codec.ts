import type { DiscoveryProbe, DiscoveryReply } from './messages.ts';

/**
 * The bytes of a discovery protocol, both directions. The prober and the responder know no other place
 * that does, so a vendor's protocol is a codec and not a second engine.
 */
export interface DiscoveryCodec {
  /** The version of this contract. */
  readonly specificationVersion: 'v1';
  /** Name for messages and logs, for example `endorse-discovery`. */
  readonly name: string;
  /** Larger datagrams are dropped before they are decoded. */
  readonly maxDatagramBytes: number;
  /** Encodes a probe at least as long as any reply to it. Throws `ERR_LOCAL_UNENCODABLE`. */
  encodeProbe(probe: DiscoveryProbe): Uint8Array;
  /** Decodes a probe. Throws `RemoteProtocolError`, and nothing else, for any other bytes. */
  decodeProbe(datagram: Uint8Array): DiscoveryProbe;
  /**
   * Encodes a reply in at most `maxBytes` bytes, leaving out what is optional where it must.
   * Throws `ERR_LOCAL_UNENCODABLE` when even the rest does not fit: then no reply is sent.
   */
  encodeReply(reply: DiscoveryReply, options: { readonly maxBytes: number }): Uint8Array;
  /**
   * Decodes a reply. Throws `RemoteProtocolError`, and nothing else, for any other bytes:
   * `ERR_REMOTE_MALFORMED`, `ERR_REMOTE_TOO_LARGE`, or `ERR_REMOTE_UNEXPECTED` for another version or message.
   */
  decodeReply(datagram: Uint8Array): DiscoveryReply;
}
