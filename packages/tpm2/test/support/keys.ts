import type { KeyObject } from 'node:crypto';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { EccPublic, PublicArea, RsaPublic } from '@endorse/tpm2';
import { ekTemplateEccP256, ekTemplateRsa2048, srkTemplateEccP256, srkTemplateRsa2048 } from '@endorse/tpm2';

/** A key that lives in node:crypto, with the public area a TPM would show for it. */
export interface SoftwareKey<Area extends PublicArea = PublicArea> {
  readonly area: Area;
  readonly privateKey: KeyObject;
}

/** EK and SRK of a TPM double. */
export interface SoftwareKeys {
  readonly endorsementKey: SoftwareKey;
  readonly storageRootKey: SoftwareKey;
}

export function rsaKey(template: RsaPublic): SoftwareKey<RsaPublic> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: template.keyBits });
  return { area: { ...template, unique: coordinate(privateKey.export({ format: 'jwk' }).n) }, privateKey };
}

export function eccKey(template: EccPublic): SoftwareKey<EccPublic> {
  const namedCurve = { nistP256: 'P-256', nistP384: 'P-384', nistP521: 'P-521' }[
    template.curveId as 'nistP256'
  ];
  const { privateKey } = generateKeyPairSync('ec', { namedCurve });
  const { x, y } = privateKey.export({ format: 'jwk' });
  return { area: { ...template, unique: { x: coordinate(x), y: coordinate(y) } }, privateKey };
}

/** The private key of an ECC scalar whose public area is known. */
export function eccPrivateKey(area: EccPublic, scalar: Uint8Array): KeyObject {
  const crv = { nistP256: 'P-256', nistP384: 'P-384', nistP521: 'P-521' }[area.curveId as 'nistP256'];
  const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
  const { x, y } = area.unique;
  return createPrivateKey({
    key: { kty: 'EC', crv, x: encode(x), y: encode(y), d: encode(scalar) },
    format: 'jwk',
  });
}

export function rsaKeys(): SoftwareKeys {
  return { endorsementKey: rsaKey(ekTemplateRsa2048), storageRootKey: rsaKey(srkTemplateRsa2048) };
}

export function eccKeys(): SoftwareKeys {
  return { endorsementKey: eccKey(ekTemplateEccP256), storageRootKey: eccKey(srkTemplateEccP256) };
}

function coordinate(text = ''): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64url'));
}
