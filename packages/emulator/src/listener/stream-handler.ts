import type { Duplex } from 'node:stream';

/** What is known of a connection beside its bytes. */
export interface ConnectionInfo {
  /** DER of the client's certificates, its own, whose key it proved to have, first; absent when it sent none. */
  readonly certificates?: readonly Uint8Array[];
}

/**
 * Takes over a connection of a protocol that is not HTTP. Whether it came over TLS or over a WebSocket does not show:
 * either way the stream is the bytes of the protocol, and its `error` event is taken care of. Must not throw.
 */
export type StreamHandler = (stream: Duplex, info: ConnectionInfo) => void;

/**
 * How long a connection may be without a byte in either direction, in milliseconds. A last resort, a little more than
 * the longest keep-alive that a hub takes (1767 s): what a client may take for a step is the protocol's to say.
 */
export const idleTimeoutMs = 1_800_000;
