import { faults } from '../core/fault.ts';
import type { Stamps } from './fault-answer.ts';
import { faultAnswer } from './fault-answer.ts';
import type { HttpHandler } from './http-call.ts';

/** Answers 503 to everything: a port is open a moment before the emulator knows all its ports. */
export function createStartingHandler(stamps: Stamps): HttpHandler {
  const answer = (): ReturnType<HttpHandler['handle']> => faultAnswer(stamps, faults.startingUp());
  return { handle: answer, refuseConnection: answer, refuseUpgrade: answer };
}
