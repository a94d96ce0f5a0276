import { InvalidArgumentError } from '@endorse/interface';
import { equalBytes, toHex } from './bytes/bytes.ts';
import { describeObjectAttributes } from './structures/object-attributes.ts';
import type { PublicArea } from './structures/public-area.ts';
import { encodePublic } from './structures/public-area.ts';
import type { EkTemplateName } from './templates.ts';
import { templates } from './templates.ts';

/** A field in which a key differs from a template. */
export interface TemplateDeviation {
  /** Field of the public area, for example `objectAttributes`. */
  readonly field: string;
  /** What the template has, as text. */
  readonly expected: string;
  /** What the key has, as text. */
  readonly actual: string;
}

/**
 * Compares everything a key keeps of its template: all but `unique`. No deviation means that the template may have
 * made the key; two templates that differ only in `unique` cannot be told apart this way, see {@link diagnoseEkTemplate}.
 */
export function templateDeviations(key: PublicArea, template: PublicArea): readonly TemplateDeviation[] {
  const actual = describe(key);
  const deviations: TemplateDeviation[] = [];
  for (const [field, expected] of describe(template)) {
    const found = actual.get(field) ?? 'absent';
    if (found !== expected) deviations.push(Object.freeze({ field, expected, actual: found }));
  }
  return Object.freeze(deviations);
}

/** The templates that may have made this endorsement key, by its shape: for RSA-2048 both RSA ones, or none. */
export function possibleEkTemplates(endorsementKey: PublicArea): readonly EkTemplateName[] {
  return ekTemplateNames.filter(
    (name) => templateDeviations(endorsementKey, templates[name].endorsementKey).length === 0,
  );
}

/** What {@link diagnoseEkTemplate} takes. */
export interface DiagnoseEkTemplateOptions {
  /** The endorsement key that is enrolled. */
  readonly enrolled: PublicArea;
  /** What this TPM makes of each template (CreatePrimary is repeatable), for the templates that were tried. */
  readonly created: Readonly<Partial<Record<EkTemplateName, PublicArea>>>;
}

/** What is known about an enrolled endorsement key. */
export type EkTemplateDiagnosis =
  /** This TPM makes the enrolled key from `template`. */
  | { readonly verdict: 'match'; readonly template: EkTemplateName; readonly remedy: string }
  /** No template that was tried makes it, but one that was not tried may. */
  | { readonly verdict: 'untried'; readonly templates: readonly EkTemplateName[]; readonly remedy: string }
  /** The shape fits, but this TPM makes other keys: another TPM was enrolled, or this one was reset. */
  | { readonly verdict: 'other-tpm'; readonly remedy: string }
  /** No template of this package makes a key of this shape; `deviations` are those from the nearest one. */
  | {
      readonly verdict: 'other-template';
      readonly nearest: EkTemplateName;
      readonly deviations: readonly TemplateDeviation[];
      readonly remedy: string;
    };

/**
 * Tells which template makes the enrolled endorsement key in this TPM. The usual surprise: a device was enrolled
 * by an SDK with the `azure-legacy` template, while the TPM's certificate and the TCG default name another key.
 */
export function diagnoseEkTemplate(options: DiagnoseEkTemplateOptions): EkTemplateDiagnosis {
  const { enrolled, created } = options;
  const matching = ekTemplateNames.find((name) => {
    const key = created[name];
    return key !== undefined && equalBytes(encodePublic(key), encodePublic(enrolled));
  });
  if (matching !== undefined) {
    return { verdict: 'match', template: matching, remedy: `Use the EK template '${matching}'.` };
  }
  const possible = possibleEkTemplates(enrolled);
  if (possible.length === 0) return otherTemplate(enrolled);
  const untried = possible.filter((name) => created[name] === undefined);
  if (untried.length > 0) {
    return {
      verdict: 'untried',
      templates: untried,
      remedy: `Create the key from ${untried.map((name) => `'${name}'`).join(' and ')}, then compare again.`,
    };
  }
  return {
    verdict: 'other-tpm',
    remedy:
      "Enroll this TPM's own endorsement key: the enrolled one belongs to another TPM, or this one was reset.",
  };
}

const ekTemplateNames: readonly EkTemplateName[] = ['tcg', 'azure-legacy', 'ecc'];

function otherTemplate(enrolled: PublicArea): EkTemplateDiagnosis {
  const nearest: EkTemplateName = enrolled.type === 'ecc' ? 'ecc' : 'tcg';
  return {
    verdict: 'other-template',
    nearest,
    deviations: templateDeviations(enrolled, templates[nearest].endorsementKey),
    remedy:
      'Persist that key at 0x81010001 with the tool that made it, or enroll the key of a known template.',
  };
}

/** Every field but `unique`, as text that compares and reads well. */
function describe(area: PublicArea): ReadonlyMap<string, string> {
  const common: readonly (readonly [string, string])[] = [
    ['type', area.type],
    ['nameAlg', area.nameAlg ?? 'null'],
    ['objectAttributes', describeObjectAttributes(area.objectAttributes).join(' ')],
    ['authPolicy', toHex(area.authPolicy) || 'empty'],
  ];
  switch (area.type) {
    case 'rsa':
      return new Map([
        ...common,
        ['symmetric', describeAlgorithm(area.symmetric)],
        ['scheme', describeAlgorithm(area.scheme)],
        ['keyBits', String(area.keyBits)],
        // 0 and 65537 are the same exponent.
        ['exponent', String(area.exponent === 0 ? 65_537 : area.exponent)],
      ]);
    case 'ecc':
      return new Map([
        ...common,
        ['symmetric', describeAlgorithm(area.symmetric)],
        ['scheme', describeAlgorithm(area.scheme)],
        ['curveId', area.curveId],
        ['kdf', describeAlgorithm(area.kdf)],
      ]);
    case 'keyedHash':
      return new Map([...common, ['scheme', describeAlgorithm(area.scheme)]]);
    case 'symcipher':
      return new Map([...common, ['symmetric', describeAlgorithm(area.symmetric)]]);
    default:
      throw new InvalidArgumentError('area', `is of an unknown type: ${String(area satisfies never)}`);
  }
}

/** The fields of a symmetric definition or a scheme in a row, for example `aes 128 cfb`. */
function describeAlgorithm(algorithm: object | null): string {
  return algorithm === null ? 'null' : Object.values(algorithm).join(' ');
}
