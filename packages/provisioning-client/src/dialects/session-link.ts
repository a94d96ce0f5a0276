/** Two ways to a session: through a pump, or from a transport. */
import type {
  Clock,
  PumpOutcome,
  PumpTransport,
  RegistrationSession,
  RegistrationTarget,
  SessionAttestation,
  Transport,
} from '@endorse/interface';
import type { RunContext } from './conversation.ts';
import { createPumpSession } from './pump-session.ts';

/** Opens sessions for the `dps` dialect. */
export interface SessionLink {
  /** Opens one; the end is reported exactly once, unless closed before. */
  open(
    target: RegistrationTarget,
    run: RunContext,
    onEnd: (outcome: PumpOutcome<RegistrationSession>) => void,
  ): void;
  doWork(): void;
  /** Closes the session; harmless when repeated. */
  close(): void;
}

/** HTTP through a pump. */
export function linkThroughPump(pump: PumpTransport, clock: Pick<Clock, 'now'>): SessionLink {
  return {
    open: (target, run, onEnd) =>
      pump.open((outcome) => {
        onEnd(outcome.ok ? { ok: true, value: createPumpSession(pump, target, run, clock) } : outcome);
      }),
    doWork: () => pump.doWork(),
    close: () => pump.close(),
  };
}

/** Any transport. It connects at its first request, so that `open` ends at once; nothing needs pumping. */
export function linkOverTransport(transport: Transport, attestation: () => SessionAttestation): SessionLink {
  let session: RegistrationSession | undefined;
  return {
    open: (target, _run, onEnd) => {
      try {
        session = transport.openSession(target, attestation());
        onEnd({ ok: true, value: session });
      } catch (error) {
        onEnd({ ok: false, error: error instanceof Error ? error : new Error(String(error)) });
      }
    },
    doWork: () => undefined,
    close: () => {
      // Bounded, and never rejects, by contract.
      void session?.close();
      session = undefined;
    },
  };
}
