import { describe } from 'vitest';
import { activationTests } from './security-client/activation-tests.ts';
import type { SecurityClientSetup } from './security-client/fixture.ts';
import { identityTests } from './security-client/identity-tests.ts';
import { signingTests } from './security-client/signing-tests.ts';
import { tokenTests } from './security-client/token-tests.ts';
import { traitTests } from './security-client/trait-tests.ts';

export type {
  ActivationRequest,
  MakeActivationBlob,
  SecurityClientFixture,
  SecurityClientSetup,
} from './security-client/fixture.ts';

/**
 * Registers the suite that any `SecurityClient` of version `v1` has to pass, whatever its kind.
 *
 * `setup` is called for every test and disposed of at its end. Nothing is skipped: a method that a kind does not
 * have is asserted to be absent.
 */
export function runSecurityClientCompliance(name: string, setup: SecurityClientSetup): void {
  describe(`SecurityClient v1 compliance: ${name}`, () => {
    identityTests(setup);
    signingTests(setup);
    tokenTests(setup);
    activationTests(setup);
    traitTests(setup);
  });
}
