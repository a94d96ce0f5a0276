/** What is measured in memory and on SQLite. */
export interface Both<Figures> {
  readonly memory: Figures;
  readonly sqlite: Figures;
}

/** Measures one after the other. */
export async function measureBoth<Figures>(
  measureOne: (storage: keyof Both<Figures>) => Promise<Figures>,
): Promise<Both<Figures>> {
  return { memory: await measureOne('memory'), sqlite: await measureOne('sqlite') };
}

/** The cells of a row of both. */
export function bothCells<Figures>(
  { memory, sqlite }: Both<Figures>,
  render: (figures: Figures) => string,
): readonly [string, string] {
  return [render(memory), render(sqlite)];
}
