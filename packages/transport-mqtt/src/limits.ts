import { maxResponseBytes } from '@endorse/protocol';

/** Largest packet taken in, in bytes: the largest body, and a topic with some room. */
export const maxPacketBytes: number = maxResponseBytes + 65_536;
