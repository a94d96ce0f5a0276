/** Oracle: the request classes of tss.js 2.0.0, byte for byte on random requests: sessions, policies and HMACs. */
import { commands, rh } from '@endorse/tpm2';
import fc from 'fast-check';
import { describe } from 'vitest';
import { agrees } from './support/agreement.ts';
import { bytes, hash, symmetric, u16, u32 } from './support/arbitraries.ts';
import { tss, tssHash, tssSessionSymmetric } from './support/tss.ts';

const digest = bytes(0, 64);
const buffer = bytes(0, 200);
const handle = (value: number): tss.TPM_HANDLE => new tss.TPM_HANDLE(value);

describe('requests about sessions and HMACs', () => {
  agrees(
    commands.GetRandom,
    fc.record({ bytesRequested: u16 }),
    (r) => new tss.TPM2_GetRandom_REQUEST(r.bytesRequested),
  );
  agrees(
    commands.StartAuthSession,
    fc.record({
      tpmKey: u32,
      bind: u32,
      nonceCaller: digest,
      encryptedSalt: buffer,
      sessionType: fc.constantFrom('hmac', 'policy', 'trial'),
      symmetric: fc.option(symmetric),
      authHash: hash,
    }),
    (r) =>
      new tss.TPM2_StartAuthSession_REQUEST(
        handle(r.tpmKey ?? rh.null),
        handle(r.bind ?? rh.null),
        Buffer.from(r.nonceCaller),
        Buffer.from(r.encryptedSalt ?? []),
        { hmac: tss.TPM_SE.HMAC, policy: tss.TPM_SE.POLICY, trial: tss.TPM_SE.TRIAL }[r.sessionType],
        tssSessionSymmetric(r.symmetric ?? null),
        tssHash(r.authHash),
      ),
  );
  agrees(
    commands.PolicySecret,
    fc.record({
      authHandle: u32,
      policySession: u32,
      nonceTpm: digest,
      cpHashA: digest,
      policyRef: digest,
      expiration: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    }),
    (r) =>
      new tss.TPM2_PolicySecret_REQUEST(
        handle(r.authHandle),
        handle(r.policySession),
        Buffer.from(r.nonceTpm ?? []),
        Buffer.from(r.cpHashA ?? []),
        Buffer.from(r.policyRef ?? []),
        r.expiration,
      ),
  );
  agrees(
    commands.PolicyCommandCode,
    fc.record({ policySession: u32, code: u32 }),
    (r) => new tss.TPM2_PolicyCommandCode_REQUEST(handle(r.policySession), r.code),
  );
  agrees(
    commands.PolicyGetDigest,
    fc.record({ policySession: u32 }),
    (r) => new tss.TPM2_PolicyGetDigest_REQUEST(handle(r.policySession)),
  );
  agrees(
    commands.HMAC,
    fc.record({ handle: u32, buffer, hashAlg: fc.option(hash) }),
    (r) => new tss.TPM2_HMAC_REQUEST(handle(r.handle), Buffer.from(r.buffer), tssHash(r.hashAlg)),
  );
  agrees(
    commands.HMAC_Start,
    fc.record({ handle: u32, auth: digest, hashAlg: fc.option(hash) }),
    (r) => new tss.TPM2_HMAC_Start_REQUEST(handle(r.handle), Buffer.from(r.auth ?? []), tssHash(r.hashAlg)),
  );
  agrees(
    commands.SequenceUpdate,
    fc.record({ sequenceHandle: u32, buffer }),
    (r) => new tss.TPM2_SequenceUpdate_REQUEST(handle(r.sequenceHandle), Buffer.from(r.buffer)),
  );
  agrees(
    commands.SequenceComplete,
    fc.record({ sequenceHandle: u32, buffer, hierarchy: fc.option(u32, { nil: undefined }) }),
    (r) =>
      new tss.TPM2_SequenceComplete_REQUEST(
        handle(r.sequenceHandle),
        Buffer.from(r.buffer),
        handle(r.hierarchy ?? tss.TPM_RH.NULL),
      ),
  );
});
