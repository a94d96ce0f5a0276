import type { ServiceFault } from '../core/fault.ts';
import type { FaultyAnswer } from '../faults/faulty-call.ts';
import type { HttpAnswer } from './http-call.ts';
import { noAnswer } from './http-call.ts';

/** How an API writes what it answers. */
export interface AnswerWriters<Response> {
  readonly refused: (fault: ServiceFault) => HttpAnswer;
  readonly answered: (response: Response) => HttpAnswer;
}

/** Writes what became of a request under a fault script, to be handed over as that wants it. */
export function writeFaultyAnswer<Response>(
  answer: FaultyAnswer<Response>,
  { refused, answered }: AnswerWriters<Response>,
): HttpAnswer {
  const { delivery } = answer;
  switch (answer.outcome) {
    case 'dropped':
      return { ...noAnswer, delivery };
    case 'refused':
      return { ...refused(answer.fault), delivery };
    case 'answered':
      return { ...answered(answer.response), delivery };
    default:
      return answer satisfies never;
  }
}
