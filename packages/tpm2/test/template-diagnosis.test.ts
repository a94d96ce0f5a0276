/** Oracle: the bytes of tss.js for the templates, and the shapes of published endorsement keys. */
import {
  decodeTpm2bPublic,
  diagnoseEkTemplate,
  ekTemplateEccP256,
  ekTemplateRsa2048,
  ekTemplateRsa2048AzureLegacy,
  encodePublic,
  encodeTpm2bPublic,
  possibleEkTemplates,
  srkTemplateEccP256,
  srkTemplateRsa2048,
  srkTemplateRsa2048AzureLegacy,
  templateDeviations,
  templates,
} from '@endorse/tpm2';
import { describe, expect, it } from 'vitest';
import { hex, toHex } from './support/bytes.ts';
import { tss, tssPublic } from './support/tss.ts';
import keylime from './vectors/keylime-credential.json' with { type: 'json' };

const policy = '837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa';
const enrolled = decodeTpm2bPublic(hex(keylime.endorsementKey));
const other = { ...enrolled, unique: new Uint8Array(256).fill(0xc1) } as typeof enrolled;

describe('templates', () => {
  it('have the fields the TCG profiles give', () => {
    const bits = '00060080004300100800000000000';
    expect(toHex(encodePublic(ekTemplateRsa2048))).toBe(
      `0001000b000300b20020${policy}${bits}100${'00'.repeat(256)}`,
    );
    expect(toHex(encodePublic(ekTemplateRsa2048AzureLegacy))).toBe(`0001000b000300b20020${policy}${bits}000`);
    expect(toHex(encodePublic(srkTemplateRsa2048))).toBe(`0001000b000304720000${bits}100${'00'.repeat(256)}`);
    expect(toHex(encodePublic(srkTemplateRsa2048AzureLegacy))).toBe(`0001000b000304720000${bits}000`);
    const zeros = `0020${'00'.repeat(32)}`;
    const ecc = `0006008000430010000300100020${zeros.slice(4)}${zeros}`;
    expect(toHex(encodePublic(ekTemplateEccP256))).toBe(`0023000b000300b20020${policy}${ecc}`);
    expect(toHex(encodePublic(srkTemplateEccP256))).toBe(`0023000b000304720000${ecc}`);
  });

  it('are the bytes that tss.js makes of them', () => {
    for (const { endorsementKey, storageRootKey } of Object.values(templates)) {
      for (const area of [endorsementKey, storageRootKey]) {
        expect(toHex(encodePublic(area))).toBe(tssPublic(area).toBytes().toString('hex'));
      }
    }
    const {
      fixedTPM,
      fixedParent,
      sensitiveDataOrigin,
      adminWithPolicy,
      restricted,
      decrypt,
      userWithAuth,
      noDA,
    } = tss.TPMA_OBJECT;
    const common = fixedTPM | fixedParent | sensitiveDataOrigin | restricted | decrypt;
    expect(ekTemplateRsa2048.objectAttributes).toBe(common | adminWithPolicy);
    expect(srkTemplateRsa2048.objectAttributes).toBe(common | userWithAuth | noDA);
  });

  it('have the sizes a key of theirs has', () => {
    expect(encodeTpm2bPublic(ekTemplateRsa2048)).toHaveLength(316);
    expect(encodeTpm2bPublic(srkTemplateRsa2048)).toHaveLength(284);
    expect(encodeTpm2bPublic(ekTemplateEccP256)).toHaveLength(124);
    expect(encodeTpm2bPublic(srkTemplateEccP256)).toHaveLength(92);
  });
});

describe('templateDeviations', () => {
  it('is empty for a key of the template, whatever its modulus and whichever way 65537 is written', () => {
    expect(templateDeviations(enrolled, ekTemplateRsa2048)).toEqual([]);
    expect(templateDeviations(enrolled, ekTemplateRsa2048AzureLegacy)).toEqual([]);
    const explicit = { ...ekTemplateRsa2048, exponent: 65_537 };
    expect(templateDeviations(explicit, ekTemplateRsa2048)).toEqual([]);
  });

  it('names every field that differs', () => {
    expect(templateDeviations(srkTemplateRsa2048, ekTemplateRsa2048)).toEqual([
      {
        field: 'objectAttributes',
        expected: 'fixedTpm fixedParent sensitiveDataOrigin adminWithPolicy restricted decrypt',
        actual: 'fixedTpm fixedParent sensitiveDataOrigin userWithAuth noDa restricted decrypt',
      },
      { field: 'authPolicy', expected: policy, actual: 'empty' },
    ]);
    const deviating = {
      ...ekTemplateRsa2048,
      nameAlg: 'sha384',
      symmetric: { algorithm: 'aes', keyBits: 256, mode: 'cfb' },
      scheme: { scheme: 'rsassa', hash: 'sha256' },
      keyBits: 3072,
      exponent: 3,
    } as const;
    expect(templateDeviations(deviating, ekTemplateRsa2048)).toEqual([
      { field: 'nameAlg', expected: 'sha256', actual: 'sha384' },
      { field: 'symmetric', expected: 'aes 128 cfb', actual: 'aes 256 cfb' },
      { field: 'scheme', expected: 'null', actual: 'rsassa sha256' },
      { field: 'keyBits', expected: '2048', actual: '3072' },
      { field: 'exponent', expected: '65537', actual: '3' },
    ]);
    const curve = { ...ekTemplateEccP256, curveId: 'nistP384' } as const;
    expect(templateDeviations(curve, ekTemplateEccP256)).toEqual([
      { field: 'curveId', expected: 'nistP256', actual: 'nistP384' },
    ]);
    expect(templateDeviations(ekTemplateEccP256, ekTemplateRsa2048)).toContainEqual({
      field: 'keyBits',
      expected: '2048',
      actual: 'absent',
    });
  });
});

describe('possibleEkTemplates', () => {
  it('cannot tell the RSA templates apart by shape', () => {
    expect(possibleEkTemplates(enrolled)).toEqual(['tcg', 'azure-legacy']);
    expect(possibleEkTemplates(ekTemplateEccP256)).toEqual(['ecc']);
    expect(possibleEkTemplates(srkTemplateRsa2048)).toEqual([]);
  });
});

describe('diagnoseEkTemplate', () => {
  it('finds the template that makes the enrolled key in this TPM', () => {
    const created = { tcg: other, 'azure-legacy': enrolled };
    expect(diagnoseEkTemplate({ enrolled, created })).toEqual({
      verdict: 'match',
      template: 'azure-legacy',
      remedy: "Use the EK template 'azure-legacy'.",
    });
    expect(diagnoseEkTemplate({ enrolled, created: { tcg: enrolled } })).toMatchObject({ template: 'tcg' });
  });

  it('asks for the templates that were not tried', () => {
    expect(diagnoseEkTemplate({ enrolled, created: { tcg: other } })).toMatchObject({
      verdict: 'untried',
      templates: ['azure-legacy'],
    });
    expect(diagnoseEkTemplate({ enrolled, created: {} })).toMatchObject({
      templates: ['tcg', 'azure-legacy'],
    });
  });

  it('recognises the key of another TPM', () => {
    const created = { tcg: other, 'azure-legacy': other };
    expect(diagnoseEkTemplate({ enrolled, created }).verdict).toBe('other-tpm');
  });

  it('recognises a key that none of the templates makes, and says where it differs', () => {
    const foreign = { ...enrolled, authPolicy: hex('') } as typeof enrolled;
    expect(diagnoseEkTemplate({ enrolled: foreign, created: {} })).toMatchObject({
      verdict: 'other-template',
      nearest: 'tcg',
      deviations: [{ field: 'authPolicy', expected: policy, actual: 'empty' }],
    });
    const curve = { ...ekTemplateEccP256, curveId: 'nistP384' } as const;
    expect(diagnoseEkTemplate({ enrolled: curve, created: {} })).toMatchObject({ nearest: 'ecc' });
  });
});
