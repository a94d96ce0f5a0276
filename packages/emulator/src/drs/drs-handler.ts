/** The `/drs/` dialect over HTTP: bytes to neutral requests, neutral answers to bytes. */
import type { DrsTarget } from '@endorse/protocol';
import {
  decodeDrsConfirmation,
  decodeDrsRegisterBody,
  encodeDrsChallenge,
  encodeDrsOperation,
  encodeDrsOperationPath,
  encodeDrsProgress,
  encodeDrsProgressUrl,
  headerNames,
  parseDrsTarget,
} from '@endorse/protocol';
import type { EmulatorCore } from '../core/core.ts';
import type { ServiceFault } from '../core/fault.ts';
import type { FaultResponse } from '../core/refusal.ts';
import type { Stamps } from '../listener/fault-answer.ts';
import { faultAnswer, faultOf, jsonAnswer } from '../listener/fault-answer.ts';
import { writeFaultyAnswer } from '../listener/faulty-answer.ts';
import type { HttpAnswer, HttpCall } from '../listener/http-call.ts';
import type { DrsChallengeResponse, DrsOperationResponse, DrsProgressResponse } from './drs-requests.ts';

/** What the listener of the service lends to its dialects. */
export interface DrsHandlerParts {
  readonly core: EmulatorCore;
  readonly stamps: Stamps;
  /** Reads the request target, or says what to answer instead. */
  readTarget<Target>(
    call: HttpCall,
    parse: (method: string, target: string) => Target | undefined,
  ): Target | { readonly answer: HttpAnswer };
  findBodyFault(call: HttpCall, isRead: boolean): ServiceFault | undefined;
  /** Refuses what never reached the core. */
  refuseUnread(operation: string, fault: ServiceFault): HttpAnswer;
}

/** True for a request target of the dialect. */
export function isDrsTarget(target: string): boolean {
  return /^\/drs\//i.test(target);
}

/** Makes what answers requests of the dialect. */
export function createDrsHandler(parts: DrsHandlerParts): (call: HttpCall) => HttpAnswer {
  const { core, stamps } = parts;
  return (call) => {
    const target = parts.readTarget(call, parseDrsTarget);
    if ('answer' in target) return target.answer;
    const operation = operations[target.kind];
    const fault = parts.findBodyFault(call, target.kind !== 'operation');
    if (fault !== undefined) return parts.refuseUnread(operation, fault);
    let handle: () => DrsResponse;
    try {
      handle = toRequest(core, call, target);
    } catch (error) {
      return parts.refuseUnread(operation, faultOf(error, 'body'));
    }
    const { registrationId: device } = target;
    const answer = core.underFaults({ carrier: 'http', operation, device }, handle);
    return writeFaultyAnswer(answer, {
      refused: (refusal) => faultAnswer(stamps, refusal),
      answered: (response) => write(stamps, target, response),
    });
  };
}

type DrsResponse = DrsChallengeResponse | DrsOperationResponse | DrsProgressResponse | FaultResponse;

/** What the requests are called in events and by fault scripts. */
const operations = {
  register: 'drs-register',
  'trust-confirmation': 'drs-confirm',
  operation: 'drs-progress',
} as const satisfies Readonly<Record<DrsTarget['kind'], string>>;

/** Reads the body, before any fault of a script; what is returned asks the core. */
function toRequest(core: EmulatorCore, call: HttpCall, target: DrsTarget): () => DrsResponse {
  const { registrationId } = target;
  switch (target.kind) {
    case 'register': {
      const body = decodeDrsRegisterBody(call.body ?? '');
      return () => core.drs.register({ ...body, registrationIdOfPath: registrationId });
    }
    case 'trust-confirmation': {
      const body = decodeDrsConfirmation(call.body ?? '');
      return () => core.drs.confirm({ ...body, registrationId });
    }
    case 'operation': {
      const { operationId } = target;
      return () => core.drs.lookUp({ registrationId, operationId });
    }
    default:
      return target satisfies never;
  }
}

function write(stamps: Stamps, { kind, registrationId }: DrsTarget, response: DrsResponse): HttpAnswer {
  switch (response.outcome) {
    case 'challenge':
      return jsonAnswer(stamps, 401, encodeDrsChallenge(response));
    case 'operation': {
      const { operationId } = response;
      const progressUrl = encodeDrsOperationPath({ registrationId, operationId });
      return kind === 'trust-confirmation'
        ? jsonAnswer(stamps, 202, encodeDrsProgressUrl(progressUrl), pause(response))
        : jsonAnswer(stamps, 200, encodeDrsOperation({ operationId }), pause(response));
    }
    case 'progress': {
      const running = response.progress.status === 'assigning';
      return jsonAnswer(stamps, running ? 202 : 200, encodeDrsProgress(response.progress), pause(response));
    }
    case 'fault':
      return faultAnswer(stamps, response.fault);
    default:
      return response satisfies never;
  }
}

function pause({ retryAfterSeconds }: { readonly retryAfterSeconds?: number }): readonly string[] {
  return retryAfterSeconds === undefined ? [] : [headerNames.retryAfter, String(retryAfterSeconds)];
}
