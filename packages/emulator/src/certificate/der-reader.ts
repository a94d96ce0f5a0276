/**
 * The two fields of a certificate that `node:crypto` does not tell (RFC 5280 sections 4.1.2.1 and 4.2.1.9). Only for
 * certificates that it has parsed already; throws `RangeError` for lengths that lead nowhere.
 */

/** Version as people count it, and the path length constraint, if any. */
export interface CertificateFields {
  readonly version: number;
  readonly pathLength?: number;
}

/** Reads them. */
export function readCertificateFields(certificate: Uint8Array): CertificateFields {
  const [toBeSigned] = children(readElement(certificate, 0).contents);
  const fields = children(toBeSigned?.contents ?? new Uint8Array());
  const [first] = fields;
  const version = first?.tag === versionTag ? number(children(first.contents)[0]) + 1 : 1;
  const pathLength = readPathLength(fields.find(({ tag }) => tag === extensionsTag));
  return { version, ...(pathLength === undefined ? {} : { pathLength }) };
}

interface Element {
  readonly tag: number;
  readonly contents: Uint8Array;
  /** Where the next element begins. */
  readonly end: number;
}

const versionTag = 0xa0;
const extensionsTag = 0xa3;
const integerTag = 0x02;
const octetStringTag = 0x04;
/** 2.5.29.19. */
const basicConstraints = Buffer.from([0x55, 0x1d, 0x13]);

function readPathLength(extensions: Element | undefined): number | undefined {
  if (extensions === undefined) return undefined;
  const [list] = children(extensions.contents);
  for (const extension of children(list?.contents ?? new Uint8Array())) {
    const parts = children(extension.contents);
    if (!basicConstraints.equals(parts[0]?.contents ?? new Uint8Array())) continue;
    const value = parts.find(({ tag }) => tag === octetStringTag);
    const [constraints] = children(value?.contents ?? new Uint8Array());
    const length = children(constraints?.contents ?? new Uint8Array()).find(({ tag }) => tag === integerTag);
    return length === undefined ? undefined : number(length);
  }
  return undefined;
}

function children(bytes: Uint8Array): readonly Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.byteLength; at = elements.at(-1)?.end ?? bytes.byteLength) {
    elements.push(readElement(bytes, at));
  }
  return elements;
}

function readElement(bytes: Uint8Array, at: number): Element {
  const first = bytes[at + 1] ?? 0;
  // The long form: so many bytes of length follow.
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4) throw new RangeError('a length of more than four bytes');
  const start = at + 2 + lengthBytes;
  const length = lengthBytes === 0 ? first : bigEndian(bytes.subarray(at + 2, start));
  const end = start + length;
  if (end > bytes.byteLength) throw new RangeError('an element reaches beyond its parent');
  return { tag: bytes[at] ?? 0, contents: bytes.subarray(start, end), end };
}

function number(element: Element | undefined): number {
  return bigEndian(element?.contents ?? new Uint8Array());
}

function bigEndian(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}
