import { joinActivationBlob, splitActivationBlob } from '@endorse/protocol';
import type { DeviceRequest, DeviceResponse } from '../core/device-requests.ts';
import type { ServiceFault } from '../core/fault.ts';
import type { FaultEffect } from './fault-rule.ts';
import type { FaultHit } from './fault-script.ts';

/** How a carrier is to hand an answer over. */
export interface Delivery {
  /** To wait before, in milliseconds; 0 for at once. */
  readonly delayMs: number;
  /** True to end the connection instead of answering. */
  readonly isDropped: boolean;
  /** How much of the body to send before ending the connection: bytes, or `half`; absent for all of it. */
  readonly truncateTo?: number | 'half';
  /** What to say the body is, in the place of what it is. */
  readonly contentType?: string;
}

/** What became of a request under a fault script. */
export type FaultyAnswer<Response> =
  | { readonly outcome: 'answered'; readonly response: Response; readonly delivery: Delivery }
  /** An error answer, which the carrier writes as it writes others. */
  | { readonly outcome: 'refused'; readonly fault: ServiceFault; readonly delivery: Delivery }
  /** Nothing was done, and nothing is to be answered. */
  | { readonly outcome: 'dropped'; readonly delivery: Delivery };

/** What hits a request, as one. */
export interface FaultPlan {
  readonly delivery: Delivery;
  readonly refusal?: ServiceFault;
  readonly isDroppedBeforeHandling: boolean;
  readonly skewMs: number;
  readonly staysAssigning: boolean;
  readonly flip?: Extract<FaultEffect, { readonly kind: 'flip-blob' }>;
}

/** Turns what hits a request into what is to be done with it. */
export function planFaults(hits: readonly FaultHit[]): FaultPlan {
  const find = <Kind extends FaultEffect['kind']>(
    kind: Kind,
  ): Extract<FaultEffect, { kind: Kind }> | undefined =>
    hits.find(({ fault }) => fault.kind === kind)?.fault as Extract<FaultEffect, { kind: Kind }> | undefined;
  const status = find('status');
  const drop = find('drop');
  const truncate = find('truncate');
  const contentType = find('content-type')?.contentType;
  const flip = find('flip-blob');
  return {
    delivery: {
      delayMs: find('delay')?.delayMs ?? 0,
      isDropped: drop !== undefined,
      ...(truncate === undefined ? {} : { truncateTo: truncate.keepBytes ?? 'half' }),
      ...(contentType === undefined ? {} : { contentType }),
    },
    ...(status === undefined ? {} : { refusal: toServiceFault(status) }),
    isDroppedBeforeHandling: drop?.when === 'before-handling',
    skewMs: find('clock-skew')?.skewMs ?? 0,
    staysAssigning: find('stay-assigning') !== undefined,
    ...(flip === undefined ? {} : { flip }),
  };
}

/** Runs a request as planned. */
export function runFaultyCall<Response>(plan: FaultPlan, handle: () => Response): FaultyAnswer<Response> {
  const { delivery, refusal, isDroppedBeforeHandling } = plan;
  if (isDroppedBeforeHandling) return { outcome: 'dropped', delivery };
  if (refusal !== undefined) return { outcome: 'refused', fault: refusal, delivery };
  return { outcome: 'answered', response: handle(), delivery };
}

/** What a device gets in the place of an answer. */
export function spoilDeviceResponse(
  { staysAssigning, flip }: FaultPlan,
  response: DeviceResponse,
  retryAfterSeconds: number,
): DeviceResponse {
  if (response.outcome === 'challenge' && flip !== undefined) {
    return { ...response, activationBlob: flipBit(response.activationBlob, flip) };
  }
  if (response.outcome !== 'operation') return response;
  const { operation } = response;
  const { operationId, registrationState: state } = operation;
  if (staysAssigning && operation.status === 'assigned') {
    const registrationState = {
      ...(state?.registrationId && { registrationId: state.registrationId }),
      status: 'assigning',
    } as const;
    return {
      ...response,
      operation: { operationId, status: 'assigning', registrationState },
      retryAfterSeconds,
    };
  }
  if (flip === undefined || state?.tpm === undefined) return response;
  const tpm = { authenticationKey: flipBit(state.tpm.authenticationKey, flip) };
  return { ...response, operation: { ...operation, registrationState: { ...state, tpm } } };
}

/** What a request is to rules: a registration without a credential is the request of a challenge, whatever carries it. */
export function operationOf(request: DeviceRequest): string {
  const isChallenge = request.operation === 'register' && request.credential.kind === 'none';
  return isChallenge ? 'request-challenge' : request.operation;
}

function flipBit(blob: Uint8Array, { field, bit }: NonNullable<FaultPlan['flip']>): Uint8Array {
  const parts = splitActivationBlob(blob);
  const part = Uint8Array.from(parts[field]);
  const index = Math.min(bit ?? Infinity, part.byteLength * 8 - 1);
  if (index >= 0) part[index >> 3] = (part[index >> 3] ?? 0) ^ (0x80 >> (index & 7));
  return joinActivationBlob({ ...parts, [field]: part });
}

function toServiceFault({
  status,
  errorCode = status * 1000 + 1,
  message = 'A fault script says so.',
  retryAfterSeconds,
}: Extract<FaultEffect, { readonly kind: 'status' }>): ServiceFault {
  return {
    status,
    errorCode,
    message,
    reason: 'a fault script of the emulator',
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}
