/** One option of a command, without its dashes. `summary` begins in lower case and has no full stop. */
export type OptionDefinition =
  | {
      readonly type: 'boolean';
      readonly summary: string;
    }
  | {
      readonly type: 'string';
      readonly summary: string;
      /** What stands for the value in help, for example `FILE`. */
      readonly value: string;
      readonly required?: true;
      readonly default?: string;
      /** The only values there are. */
      readonly choices?: readonly string[];
    }
  | {
      /** May be given several times. */
      readonly type: 'strings';
      readonly summary: string;
      readonly value: string;
    }
  | {
      readonly type: 'integer';
      readonly summary: string;
      readonly value: string;
      readonly minimum: number;
      readonly maximum: number;
      readonly default?: number;
    };

/** The options of a command by name. */
export type OptionTable = Readonly<Record<string, OptionDefinition>>;

/** What a definition yields once the command line is read. */
export type OptionValue<Definition extends OptionDefinition> = Definition extends { readonly type: 'boolean' }
  ? boolean
  : Definition extends { readonly type: 'strings' }
    ? readonly string[]
    : Definition extends { readonly type: 'integer' }
      ? Definition extends { readonly default: number }
        ? number
        : number | undefined
      : Definition extends { readonly required: true } | { readonly default: string }
        ? string
        : string | undefined;

/** The values of a table. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: OptionValue<Table[Name]>;
};
