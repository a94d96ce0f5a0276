/** Oracle: sizes of blobs the real service sent and fields computed in Python (vectors/activation-blobs.json). */
import { describe, expect, test } from 'vitest';
import { joinActivationBlob, splitActivationBlob, type ActivationParts } from '@endorse/protocol';
import { hex, readVectors, thrownBy } from './vectors.ts';

const vectors = readVectors('activation-blobs') as {
  readonly partBytes: Readonly<Record<Exclude<keyof ActivationParts, 'encryptedUri'>, number>>;
  readonly publicAreaPrefixHex: string;
  readonly blobs: readonly {
    readonly kind: string;
    readonly totalBytes: number;
    readonly encryptedUriBytes: number;
  }[];
  readonly knownAnswer: Readonly<
    Record<'idObject2bHex' | 'duplicate2bHex' | 'publicArea2bHex' | 'encryptedUri2bHex', string>
  >;
};

/** Parts of the service's sizes, each byte telling which part it belongs to. */
function partsLikeTheService(encryptedUriBytes: number): ActivationParts {
  const sizes = vectors.partBytes;
  const idObject = new Uint8Array(sizes.idObject).fill(1);
  idObject.set([0x00, 0x20]);
  const publicArea = new Uint8Array(sizes.publicArea).fill(5);
  publicArea.set(hex(vectors.publicAreaPrefixHex));
  return {
    idObject,
    encryptedSecret: new Uint8Array(sizes.encryptedSecret).fill(2),
    duplicate: new Uint8Array(sizes.duplicate).fill(3),
    encryptedSeed: new Uint8Array(sizes.encryptedSeed).fill(4),
    publicArea,
    encryptedUri: new Uint8Array(encryptedUriBytes).fill(6),
  };
}

test.each(vectors.blobs)(
  'a blob like the $totalBytes-byte $kind of the service',
  ({ totalBytes, encryptedUriBytes }) => {
    const parts = partsLikeTheService(encryptedUriBytes);
    const blob = joinActivationBlob(parts);
    expect(blob.byteLength).toBe(totalBytes);
    expect(splitActivationBlob(blob)).toEqual(parts);
  },
);

test('every part stands at the offset the captures have it at', () => {
  const blob = joinActivationBlob(partsLikeTheService(154));
  const sizeAt = (offset: number): number => ((blob[offset] ?? 0) << 8) | (blob[offset + 1] ?? 0);
  const found = [0x000, 0x036, 0x138, 0x1c8, 0x2ca, 0x2fc].map(sizeAt);
  expect(found).toEqual([52, 256, 142, 256, 48, 154]);
});

test('fields made by an independent implementation come apart and go together unchanged', () => {
  const { idObject2bHex, duplicate2bHex, publicArea2bHex, encryptedUri2bHex } = vectors.knownAnswer;
  const seed2bHex = `0100${'ab'.repeat(256)}`;
  const blob = hex(
    `${idObject2bHex}${seed2bHex}${duplicate2bHex}${seed2bHex}${publicArea2bHex}${encryptedUri2bHex}`,
  );
  const parts = splitActivationBlob(blob);
  expect(Buffer.from(parts.idObject).toString('hex')).toBe(idObject2bHex.slice(4));
  expect(Buffer.from(parts.duplicate).toString('hex')).toBe(duplicate2bHex.slice(4));
  expect(Buffer.from(parts.publicArea).toString('hex')).toBe(publicArea2bHex.slice(4));
  expect(Buffer.from(parts.encryptedUri).toString('hex')).toBe(encryptedUri2bHex.slice(4));
  expect(joinActivationBlob(parts)).toEqual(blob);
});

test('an empty text and no outer wrapper are allowed: the TPM takes both', () => {
  const parts = { ...partsLikeTheService(0), encryptedSeed: new Uint8Array(0) };
  expect(splitActivationBlob(joinActivationBlob(parts))).toEqual(parts);
});

test('parts are copies, so that wiping the blob leaves them alone', () => {
  const blob = joinActivationBlob(partsLikeTheService(10));
  const { duplicate } = splitActivationBlob(blob);
  blob.fill(0);
  expect(duplicate).toEqual(new Uint8Array(142).fill(3));
});

describe('splitActivationBlob refuses', () => {
  const good = joinActivationBlob(partsLikeTheService(154));
  const changed = (change: (blob: Uint8Array) => void): Uint8Array => {
    const copy = Uint8Array.from(good);
    change(copy);
    return copy;
  };

  test.each([
    ['nothing', new Uint8Array(0), '$.idObject'],
    ['half a size', good.subarray(0, 1), '$.idObject'],
    ['a blob cut inside its third part', good.subarray(0, 400), '$.duplicate'],
    ['a blob cut between parts', good.subarray(0, 0x1c8), '$.encryptedSeed'],
    ['a blob without its last part', good.subarray(0, 0x2fc), '$.encryptedUri'],
    ['a blob cut one byte short', good.subarray(0, good.byteLength - 1), '$.encryptedUri'],
    ['a byte too many', Uint8Array.of(...good, 0), '$'],
    ['a size that runs past the end', changed((blob) => blob.set([0x02, 0x00], 0x1c8)), '$.encryptedSeed'],
    ['a size above the bound', changed((blob) => blob.set([0xff, 0xff], 0x036)), '$.encryptedSecret'],
    ['an empty first part', Uint8Array.of(0, 0, ...good.subarray(0x36)), '$.idObject'],
    ['an id object without a digest', changed((blob) => blob.set([0, 0], 2)), '$.idObject'],
    ['an id object whose digest fills it', changed((blob) => blob.set([0, 51], 2)), '$.idObject'],
    ['a public area of another type', changed((blob) => blob.set([0x00, 0x01], 0x2cc)), '$.publicArea'],
  ])('%s', (_name, blob, path) => {
    expect(thrownBy(() => splitActivationBlob(blob))).toMatchObject({
      name: 'RemoteProtocolError',
      code: 'ERR_REMOTE_MALFORMED',
      evidence: { path },
    });
  });

  test('parts in another order', () => {
    const parts = [0x000, 0x036, 0x138, 0x1c8, 0x2ca, 0x2fc, good.byteLength];
    const slices = parts.slice(0, -1).map((start, index) => good.subarray(start, parts[index + 1]));
    const reordered = Buffer.concat(slices.toReversed());
    expect(thrownBy(() => splitActivationBlob(reordered))).toMatchObject({ code: 'ERR_REMOTE_MALFORMED' });
  });

  test('more than 8 KiB, as too large', () => {
    expect(thrownBy(() => splitActivationBlob(new Uint8Array(8193)))).toMatchObject({
      code: 'ERR_REMOTE_TOO_LARGE',
    });
  });
});

describe('joinActivationBlob refuses', () => {
  const good = partsLikeTheService(10);

  test.each([
    ['idObject', 0],
    ['idObject', 133],
    ['encryptedSecret', 513],
    ['duplicate', 0],
    ['duplicate', 1025],
    ['encryptedSeed', 513],
    ['publicArea', 257],
    ['encryptedUri', 4097],
  ] as const)('%s of %i bytes', (name, length) => {
    const error = thrownBy(() => joinActivationBlob({ ...good, [name]: new Uint8Array(length) }));
    expect(error).toMatchObject({ code: 'ERR_OUT_OF_RANGE', argument: `parts.${name}` });
  });

  test('a part that is missing', () => {
    const { duplicate: _, ...rest } = good;
    expect(thrownBy(() => joinActivationBlob(rest as ActivationParts))).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      argument: 'parts.duplicate',
    });
  });
});
