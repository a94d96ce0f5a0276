/** A provisioning service that speaks one line of JSON per message over TCP: the simplest peer a carrier can have. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { randomBytes } from 'node:crypto';
import { parseSasToken, verifySasSignature } from '@endorse/protocol';
import { wrapForToyTpm } from './toy-tpm.ts';

/** A request on the wire. */
export interface LineRequest {
  readonly operation: 'challenge' | 'register' | 'query';
  readonly registrationId: string;
  readonly token?: string;
  readonly operationId?: string;
  /** base64. */
  readonly endorsementKey?: string;
  /** base64. */
  readonly storageRootKey?: string;
}

/** An answer on the wire. */
export type LineAnswer =
  | { readonly outcome: 'challenge'; readonly blob: string }
  | { readonly outcome: 'assigning'; readonly operationId: string }
  | { readonly outcome: 'assigned'; readonly operationId: string; readonly blob?: string }
  | { readonly outcome: 'error'; readonly status: number };

/** A running service. */
export interface LineService extends AsyncDisposable {
  readonly host: string;
  /** Ends the connection of the next such request, before it is handled or after. */
  dropNext(operation: LineRequest['operation'], when: 'before-handling' | 'after-handling'): void;
}

/** Serves one TPM device and one device with a shared key. */
export async function startLineService(
  tpmDevice: string,
  keyDevice: { readonly registrationId: string; readonly key: Uint8Array },
): Promise<LineService> {
  const sockets = new Set<Socket>();
  const operationId = '5.op';
  let challengeKey: Uint8Array | undefined;
  let assigned = false;
  const drops = new Map<LineRequest['operation'], 'before-handling' | 'after-handling'>();

  const answer = (request: LineRequest): LineAnswer => {
    const { operation, registrationId, token, endorsementKey = '', storageRootKey = '' } = request;
    const isTpm = registrationId === tpmDevice;
    if (!isTpm && registrationId !== keyDevice.registrationId) return { outcome: 'error', status: 404 };
    const keys = {
      endorsementKey: Buffer.from(endorsementKey, 'base64'),
      storageRootKey: Buffer.from(storageRootKey, 'base64'),
    };
    if (operation === 'challenge' && token === undefined) {
      challengeKey = randomBytes(32);
      return { outcome: 'challenge', blob: toText(wrapForToyTpm({ ...keys, key: challengeKey })) };
    }
    const key = isTpm ? challengeKey : keyDevice.key;
    if (key === undefined || token === undefined || !verifySasSignature(parseSasToken(token), key)) {
      return { outcome: 'error', status: 401 };
    }
    if (operation === 'query' && request.operationId !== operationId)
      return { outcome: 'error', status: 404 };
    assigned = operation === 'query' && !assigned;
    if (!assigned) return { outcome: 'assigning', operationId };
    const hubKey = isTpm ? { blob: toText(wrapForToyTpm({ ...keys, key: randomBytes(32) })) } : {};
    return { outcome: 'assigned', operationId, ...hubKey };
  };

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    createInterface({ input: socket }).on('line', (line) => {
      const request = JSON.parse(line) as LineRequest;
      const drop = drops.get(request.operation);
      drops.delete(request.operation);
      const reply = drop === 'before-handling' ? undefined : answer(request);
      if (drop === undefined) socket.write(`${JSON.stringify(reply)}\n`);
      else socket.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    dropNext: (operation, when) => void drops.set(operation, when),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
