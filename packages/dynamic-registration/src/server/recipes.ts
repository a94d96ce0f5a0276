/** What devices are made from: a device is a copy, later changes of the recipe do not reach it. */
export interface DeviceRecipe {
  /** First part of the device's name; the manufacturer id follows. */
  readonly name: string;
  /** For example `standalone`. */
  readonly deviceClass: string;
  readonly attributes: readonly DeviceAttribute[];
  readonly tags: Readonly<Record<string, string>>;
}

/** Something a device reports. */
export interface DeviceAttribute {
  readonly name: string;
  readonly dataType: 'number' | 'string' | 'boolean' | 'gps' | 'blob';
}

/** Name of the recipe that is used unless a token names another. */
export const defaultRecipeName = 'tl-generator';

const numbers = [
  'manifold_temperature',
  'rpm',
  'battery_voltage',
  'fuel_level',
  'oil_pressure',
  'output_current',
  'running',
  'state_index',
  'hours_running',
  'days_running',
  'is_in_maintenance_mode',
  'is_in_faulted_mode',
  'is_in_running_mode',
  'is_in_stopped_mode',
];
const strings = ['fault_description', 'maintenance_description', 'state_description'];

/** The recipe of the original template: a generator with 18 attributes. */
export const generatorRecipe: DeviceRecipe = Object.freeze({
  name: 'Generator',
  deviceClass: 'standalone',
  attributes: [
    ...numbers.map((name) => ({ name, dataType: 'number' as const })),
    { name: 'location', dataType: 'gps' as const },
    ...strings.map((name) => ({ name, dataType: 'string' as const })),
  ],
  tags: {},
});

/** A device as a recipe makes it. */
export interface DeviceDefinition {
  readonly name: string;
  readonly deviceClass: string;
  readonly attributes: readonly DeviceAttribute[];
  readonly tags: Readonly<Record<string, string>>;
}

/** Makes a device: the recipe, then `tags`, and the manufacturer id, which nothing overrides. */
export function applyRecipe(
  recipe: DeviceRecipe,
  manufacturerId: string,
  overrides: { readonly name?: string | undefined; readonly tags: Readonly<Record<string, string>> },
): DeviceDefinition {
  return {
    name: overrides.name ?? `${recipe.name} - ${manufacturerId}`,
    deviceClass: recipe.deviceClass,
    attributes: recipe.attributes,
    tags: { ...recipe.tags, ...overrides.tags, manufacturerId },
  };
}
