import type { GatewayRequest } from '../connection.ts';
import type { JsonObject } from '../read-json.ts';

/** Options of every call to a gateway. */
export interface GatewayCallOptions {
  /** Aborts the call; it then rejects with `signal.reason`. Default: only the request time-out ends it. */
  readonly signal?: AbortSignal | undefined;
}

/** Makes one authorised request and reads its answer; how the groups of calls reach their session. */
export interface GatewayCaller {
  /** Resolves with the JSON answer of a success. Rejects with `GatewayError` and the errors of the connection. */
  call(attempted: string, request: GatewayRequest, options: GatewayCallOptions): Promise<JsonObject>;
}
