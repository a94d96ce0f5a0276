/** Compiled, not run: the values of a command have the types its options say. */
import { defineCommand } from '../src/command/command.ts';
import type { OptionValues } from '../src/command/option.ts';

defineCommand({
  path: ['example'],
  summary: '',
  description: [],
  examples: [],
  options: {
    flag: { type: 'boolean', summary: '' },
    needed: { type: 'string', value: 'X', summary: '', required: true },
    preset: { type: 'string', value: 'X', summary: '', default: 'x' },
    optional: { type: 'string', value: 'X', summary: '' },
    several: { type: 'strings', value: 'X', summary: '' },
    count: { type: 'integer', value: 'N', summary: '', minimum: 0, maximum: 9 },
    'preset-count': { type: 'integer', value: 'N', summary: '', minimum: 0, maximum: 9, default: 1 },
  },
  run: async (values) => {
    values satisfies {
      readonly flag: boolean;
      readonly needed: string;
      readonly preset: string;
      readonly optional: string | undefined;
      readonly several: readonly string[];
      readonly count: number | undefined;
      readonly 'preset-count': number;
    };
    // @ts-expect-error: it may be missing
    values.optional satisfies string;
    // @ts-expect-error: it may be missing
    values.count satisfies number;
    // @ts-expect-error: there is no such option
    void values.other;
    return 0;
  },
});

type Flag = OptionValues<{ readonly flag: { readonly type: 'boolean'; readonly summary: '' } }>;

// @ts-expect-error: a value of the wrong type
export const wrong: Flag = { flag: 'yes' };
