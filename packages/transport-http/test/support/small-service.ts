import { parseDeviceTarget, parseSasToken, verifySasSignature } from '@endorse/protocol';
import type { Peer, PeerOptions, PeerRequest } from './peer.ts';
import { reply, startPeer } from './peer.ts';

/** The two attestations the emulator does not serve yet. */
export type SmallServiceAttestation =
  | { readonly kind: 'symmetric-key'; readonly key: Uint8Array }
  | { readonly kind: 'x509' };

/** A provisioning service for one device, which it assigns at the second poll. */
export async function startSmallService(
  registrationId: string,
  attestation: SmallServiceAttestation,
): Promise<Peer> {
  const operationId = '5.0123456789abcdef.3e5d5a4c-8fb2-4a24-9f0c-1d8a4ab2c6ad';
  let polls = 0;
  const options: PeerOptions = {
    requestClientCertificate: attestation.kind === 'x509',
    answer: (request) => {
      const [method = '', target = ''] = request.line.split(' ');
      const asked = parseDeviceTarget(method, target);
      if (asked?.registrationId !== registrationId) {
        reply(request, 404, { errorCode: 404_201, message: 'Enrollment not found' });
        return;
      }
      if (!isAuthentic(request, registrationId, attestation)) {
        reply(request, 401, { errorCode: 401_002, message: 'Unauthorized' });
        return;
      }
      if (asked.kind === 'operation-status' && asked.operationId !== operationId) {
        reply(request, 404, { errorCode: 404_202, message: 'Registration not found' });
        return;
      }
      polls = asked.kind === 'register' ? 0 : polls + 1;
      if (polls < 2) {
        reply(request, 202, { operationId, status: 'assigning' }, { 'Retry-After': '0' });
        return;
      }
      const registrationState = {
        registrationId,
        assignedHub: 'hub.example.test',
        deviceId: registrationId,
        status: 'assigned',
        substatus: 'initialAssignment',
      };
      reply(request, 200, { operationId, status: 'assigned', registrationState });
    },
  };
  return startPeer(options);
}

function isAuthentic(
  { headers, socket }: PeerRequest,
  registrationId: string,
  attestation: SmallServiceAttestation,
): boolean {
  const authorization = headers['authorization'];
  if (attestation.kind === 'x509') {
    return authorization === undefined && socket.getPeerCertificate().subject.CN === registrationId;
  }
  return authorization !== undefined && verifySasSignature(parseSasToken(authorization), attestation.key);
}
