/** JSON with its names sorted, so that equal values have equal text: for digests and comparisons. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, entry: unknown) =>
    entry !== null && typeof entry === 'object' && !Array.isArray(entry)
      ? Object.fromEntries(Object.entries(entry).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : entry,
  );
}
