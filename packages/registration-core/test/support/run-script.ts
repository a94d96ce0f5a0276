import { VirtualClock } from '@endorse/interface/virtual-clock';
import type { RegistrationResult } from '@endorse/interface';
import type { RegisterOptions } from '@endorse/registration-core';
import { register } from '@endorse/registration-core';
import type { ScriptStep, ScriptedTransport } from '@endorse/testkit';
import { createScriptedTransport } from '@endorse/testkit';
import type { FakeTpm } from './fake-identities.ts';
import { createFakeTpm } from './fake-identities.ts';
import type { Settled } from './run.ts';
import { runToEnd } from './run.ts';
import { target } from './scripts.ts';

/** A finished registration and its parts. */
export interface ScriptRun {
  readonly outcome: Settled<RegistrationResult>;
  readonly transport: ScriptedTransport;
  readonly securityClient: FakeTpm;
  /** Virtual time it took. */
  readonly elapsedMs: number;
}

/** Registers the fake TPM against a script, without jitter unless told otherwise; the whole script must be used. */
export async function runScript(
  script: readonly ScriptStep[],
  options: Partial<RegisterOptions> & { readonly carrierChallenge?: 'request' | 'handshake' } = {},
): Promise<ScriptRun> {
  const clock = new VirtualClock();
  const startedAt = clock.now();
  const { carrierChallenge = 'request', ...rest } = options;
  const transport = createScriptedTransport(script, { challenge: carrierChallenge });
  const securityClient = createFakeTpm();
  const outcome = await runToEnd(
    clock,
    register({
      ...target,
      transport,
      securityClient,
      clock,
      random: { bytes: (byteLength) => new Uint8Array(byteLength) },
      ...rest,
    }),
  );
  transport.assertDone();
  return { outcome, transport, securityClient, elapsedMs: clock.now() - startedAt };
}

/** Names of the calls a transport saw, in order. */
export function callsOf({ calls }: ScriptedTransport): readonly string[] {
  return calls.map(({ call }) => call);
}
