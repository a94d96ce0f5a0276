import type { RegistrationSession, Transport } from '@endorse/interface';

/**
 * A transport whose challenges arrive with one bit flipped, as if somebody on the
 * way had touched them. Everything else passes unchanged.
 */
export function tamperWithChallenges(transport: Transport, byteOffset: number): Transport {
  return {
    ...transport,
    openSession: (target, attestation) =>
      tamperSession(transport.openSession(target, attestation), byteOffset),
  };
}

function tamperSession(session: RegistrationSession, byteOffset: number): RegistrationSession {
  return {
    getAuthenticationChallenge: async (request, options) => {
      const challenge = await session.getAuthenticationChallenge(request, options);
      const activationBlob = Uint8Array.from(challenge.activationBlob);
      activationBlob[byteOffset] = (activationBlob[byteOffset] ?? 0) ^ 0x01;
      return { ...challenge, activationBlob };
    },
    register: (request, options) => session.register(request, options),
    queryOperationStatus: (request, options) => session.queryOperationStatus(request, options),
    close: () => session.close(),
    [Symbol.asyncDispose]: () => session.close(),
  };
}
