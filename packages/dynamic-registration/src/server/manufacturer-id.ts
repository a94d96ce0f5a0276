/** How manufacturer ids are made comparable: by name, or with a function of your own, which returns undefined for what is no id. */
export type IdNormalizer =
  | 'exact'
  | 'case-insensitive'
  | 'mac-address'
  | ((id: string) => string | undefined);

/** The longest tag of the seed's platform. */
const maxIdLength = 255;

/** What a device may call itself: 1 to 255 characters, none of them a control character or half of one. */
export function isManufacturerId(value: unknown): value is string {
  return (
    typeof value === 'string' && value !== '' && value.length <= maxIdLength && !/[\p{Cc}\p{Cs}]/u.test(value)
  );
}

/**
 * The form in which ids are compared; undefined for what is none.
 *
 * - `exact`: as it is, as the seed does.
 * - `case-insensitive`: without outer white space, in lower case and one Unicode form (NFC).
 * - `mac-address`: 12 hex digits in lower case, whatever separates them.
 */
export function normalizeId(id: string, normalizer: IdNormalizer): string | undefined {
  if (typeof normalizer === 'function') {
    const normal = normalizer(id);
    return isManufacturerId(normal) ? normal : undefined;
  }
  switch (normalizer) {
    case 'exact':
      return id;
    case 'case-insensitive': {
      const normal = id.trim().normalize('NFC').toLowerCase();
      return normal === '' ? undefined : normal;
    }
    case 'mac-address': {
      const digits = id.trim().replaceAll(/[:.-]/g, '').toLowerCase();
      return /^[0-9a-f]{12}$/.test(digits) ? digits : undefined;
    }
    default:
      return normalizer satisfies never;
  }
}
