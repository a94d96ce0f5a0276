/** What an operation of the simulated API is made of. */
import type { Device } from './device.ts';

/** A request as it arrived. */
export interface RestRequest {
  readonly method: string;
  /** Below `/api/v1`, without a query. */
  readonly path: string;
  readonly token: string | undefined;
  /** Fields of a JSON body or parts of a form; empty without one. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** An answer, or what happens in its place. */
export type RestAnswer =
  | { readonly status: number; readonly body?: unknown }
  | { readonly raw: string }
  | 'drop';

/** One operation. Groups of the pattern are handed over. */
export interface Route {
  readonly method: string;
  readonly path: RegExp;
  /** Default true. */
  readonly needsToken?: boolean;
  /** The only family that has it; default both. */
  readonly family?: Device['family'];
  readonly handle: (
    device: Device,
    request: RestRequest,
    parameter: string,
  ) => RestAnswer | Promise<RestAnswer>;
}

/** Success with data. */
export function ok(data: unknown, status = 200): RestAnswer {
  return { status, body: { data } };
}

/** A refusal, in the envelope of the family. */
export function refuse({ family }: Device, status: number, message: string): RestAnswer {
  return { status, body: { error: family === 'aig-302' ? { code: status, message } : message } };
}
