/** The transport suite over the line transport, right and wrong. Run by `suites.int.test.ts`, never on its own. */
import { createHmac, randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';
import type { DroppingFixture } from '@endorse/compliance/transport';
import {
  runDroppedConnectionCompliance,
  runTransportCompliance,
  startSilentHost,
} from '@endorse/compliance/transport';
import { LocalProtocolError, TransportError } from '@endorse/interface';
import { startLineService } from '../support/line-service.ts';
import type { LineTransportSteps } from '../support/line-transport.ts';
import { createLineTransport, lineCapabilities } from '../support/line-transport.ts';
import { createToyTpm } from '../support/toy-tpm.ts';

const operations = {
  getAuthenticationChallenge: 'challenge',
  register: 'register',
  queryOperationStatus: 'query',
} as const;

function run(name: string, steps: LineTransportSteps = {}): void {
  runTransportCompliance(name, async () => {
    const stack = new AsyncDisposableStack();
    const peer = stack.use(await startPeer(steps));
    const silent = stack.use(await startSilentHost());
    return {
      ...peer,
      silentHosts: [silent],
      refusingHost: `localhost:${await closedPort()}`,
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  });
}

function runDropped(name: string, steps: LineTransportSteps = {}): void {
  runDroppedConnectionCompliance(name, () => startPeer(steps));
}

async function startPeer(steps: LineTransportSteps): Promise<DroppingFixture> {
  const stack = new AsyncDisposableStack();
  const key = randomBytes(32);
  const tpm = stack.use(createToyTpm());
  const tpmId = await tpm.getRegistrationId();
  const service = stack.use(await startLineService(tpmId, { registrationId: 'key-device', key }));
  const target = { provisioningHost: service.host, idScope: '0ne00000001' };
  return {
    transport: createLineTransport(steps),
    devices: {
      tpm: { kind: 'tpm', target: { ...target, registrationId: tpmId }, securityClient: tpm },
      'symmetric-key': {
        kind: 'symmetric-key',
        target: { ...target, registrationId: 'key-device' },
        securityClient: {
          specificationVersion: 'v1',
          kind: 'symmetric-key',
          getRegistrationId: async () => 'key-device',
          signWithIdentity: async (data) => createHmac('sha256', key).update(data).digest(),
        },
      },
    },
    dropNext: (request, when) => service.dropNext(operations[request], when),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const leak = (_socket: Socket): void => undefined;

run('right');
run('manifest that can be changed', { capabilities: { ...lineCapabilities } });
run('refusal without a reason', {
  capabilities: Object.freeze({ ...lineCapabilities, refusals: Object.freeze({}) }),
});
run('connects when opened', { onOpen: (connect) => void connect().on('error', () => undefined) });
run('trusts its target', { trustsTarget: true });
run('wraps the reason of an abort', { abortError: (reason) => new Error('aborted', { cause: reason }) });
run('ignores an abort in flight', { ignoresAbort: true });
run('leaks the socket of an aborted request', { onAbort: leak });
run('leaks its socket when closed', { onClose: leak });
run('cannot be closed twice', {
  onCloseAgain: () => {
    throw new Error('closed already');
  },
});
run('says nothing useful after close', { closedError: () => new Error('no') });
run('sends a stale token', { challengeToken: (last) => last });
run('prints the token', { describe: ({ token }) => `refused: ${token}` });
run('passes system errors on', { connectError: (cause) => cause });
run('leaves a timer', {
  onClose: (socket) => {
    socket.destroy();
    setTimeout(() => undefined, 60_000);
  },
});
run('confuses concurrent requests', {
  busyError: () => new LocalProtocolError('ERR_LOCAL_UNENCODABLE', 'what?'),
});

runDropped('right');
runDropped('takes a loss for the last word', {
  lostError: () =>
    new TransportError('ERR_TRANSPORT_LOST', 'lost', {
      phase: 'receive',
      retryable: false,
      remedy: 'Give up.',
    }),
});
runDropped('keeps a lost connection', { keepsLost: true });

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}
