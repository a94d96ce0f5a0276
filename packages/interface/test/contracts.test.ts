import { expect, test } from 'vitest';
import { attestationKinds, silentLogger } from '../src/index.ts';

test('the attestation kinds are frozen, in the order they are documented', () => {
  expect(attestationKinds).toEqual(['tpm', 'symmetric-key', 'x509']);
  expect(Object.isFrozen(attestationKinds)).toBe(true);
});

test('the silent logger drops whatever it is given', () => {
  expect(silentLogger.log('error', 'registration-failed', { code: 'ERR_TIMEOUT' })).toBeUndefined();
  expect(Object.isFrozen(silentLogger)).toBe(true);
});
