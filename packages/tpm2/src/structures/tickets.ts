import { maxDigestSize } from '../algorithms.ts';
import type { ByteReader } from '../bytes/byte-reader.ts';

/** Kinds of tickets (Part 2, 6.9 TPM_ST). */
export type TicketKind = 'creation' | 'verified' | 'authSecret' | 'authSigned' | 'hashCheck';

/** A ticket: the TPM's proof to itself that it did something before (Part 2, 10.7). */
export interface Ticket {
  readonly kind: TicketKind;
  /** Hierarchy whose proof made the digest. */
  readonly hierarchy: number;
  /** HMAC of the TPM; empty when it gave no ticket. */
  readonly digest: Uint8Array;
}

const ticketTags: ReadonlyMap<number, TicketKind> = new Map<number, TicketKind>([
  [0x8021, 'creation'],
  [0x8022, 'verified'],
  [0x8023, 'authSecret'],
  [0x8024, 'hashCheck'],
  [0x8025, 'authSigned'],
]);

/** Reads a ticket that must be of one of the given kinds. */
export function readTicket(reader: ByteReader, field: string, kinds: readonly TicketKind[]): Ticket {
  const tag = reader.u16(`${field}.tag`);
  const kind = ticketTags.get(tag);
  if (kind === undefined || !kinds.includes(kind)) {
    return reader.fail(`${field}.tag`, `is 0x${tag.toString(16)}, not that of ${kinds.join(' or ')}`, 2);
  }
  return Object.freeze({
    kind,
    hierarchy: reader.u32(`${field}.hierarchy`),
    digest: reader.sized(`${field}.digest`, maxDigestSize),
  });
}
