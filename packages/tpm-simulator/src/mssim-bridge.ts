import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { InvalidArgumentError } from '@endorse/interface';
import { parseSimulatorAddress } from './address.ts';
import { control } from './control-channel.ts';
import { createSimulatedMachine } from './mssim-machine.ts';
import type { SimulatedMachine } from './mssim-machine.ts';
import {
  acknowledgement,
  commandAnswer,
  commandCode,
  handshakeAnswer,
  platformCode,
  readBody,
  readExactly,
  readWord,
  refusal,
} from './mssim-wire.ts';
import { listenOnPortPair } from './port-pair.ts';

/** Options of {@link startMssimBridge}. */
export interface MssimBridgeOptions {
  /** Address of the swtpm behind the bridge: `swtpm://host:port` or `swtpm+unix:///path`. */
  readonly target: string;
  /** Command port, the platform port is the next one; default two free ones. */
  readonly port?: number | undefined;
  /** Address to listen on; default `127.0.0.1`. Whoever reaches the ports has the TPM: another one is for containers. */
  readonly bind?: string | undefined;
  /** Longest duration of one TPM command, in milliseconds; default 300,000, what a key generation may take. */
  readonly commandTimeoutMs?: number | undefined;
}

/** A running bridge. */
export interface MssimBridge extends AsyncDisposable {
  /** `mssim://127.0.0.1:port`, for clients on this machine. */
  readonly address: string;
  /** Takes TPM commands. */
  readonly commandPort: number;
  /** Takes power and cancel signals. */
  readonly platformPort: number;
  /** Closes every connection and both ports; harmless when repeated, never rejects. */
  stop(): Promise<void>;
}

const defaultCommandTimeoutMs = 300_000;

/**
 * Offers the protocol of the Microsoft/IBM reference simulator (mssim) in front of a swtpm, on the loopback
 * interface unless told otherwise.
 *
 * Like the original it serves one client per port at a time, and the TPM waits for TPM2_Startup after
 * its power came back. What swtpm cannot do (NV off, alternative results) is refused as an unknown code is.
 *
 * Rejects with `ERR_SIMULATOR_START` when the ports are taken and `ERR_INVALID_ARGUMENT` for an unusable target.
 */
export async function startMssimBridge(options: MssimBridgeOptions): Promise<MssimBridge> {
  const endpoints = parseSimulatorAddress(options.target);
  checkPort(options.port);
  const timeoutMs = options.commandTimeoutMs ?? defaultCommandTimeoutMs;
  const machine = createSimulatedMachine(endpoints, timeoutMs);
  const [commandServer, platformServer] = await listenOnPortPair(options.port, options.bind);
  const sockets = new Set<Socket>();
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= closeAll([commandServer, platformServer], sockets, machine));
  serveOneByOne(commandServer, sockets, (socket) => serveCommands(socket, machine, stop));
  serveOneByOne(platformServer, sockets, (socket) => servePlatform(socket, machine, stop));
  const { port } = commandServer.address() as AddressInfo;
  return {
    address: `mssim://127.0.0.1:${port}`,
    commandPort: port,
    platformPort: port + 1,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

type Stop = () => Promise<void>;

/** Serves connections in the order they came; what fails behind a client closes only that client. */
function serveOneByOne(server: Server, sockets: Set<Socket>, serve: (socket: Socket) => Promise<void>): void {
  let turn: Promise<void> = Promise.resolve();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    turn = turn
      .then(() => serve(socket))
      .catch(() => undefined)
      .then(() => {
        socket.destroy();
      });
  });
}

async function serveCommands(socket: Socket, machine: SimulatedMachine, stop: Stop): Promise<void> {
  try {
    for (;;) {
      const code = await readWord(socket);
      switch (code) {
        case commandCode.sendCommand: {
          const locality = (await readExactly(socket, 1))?.[0];
          const command = await readBody(socket);
          if (locality === undefined || command === undefined) return;
          socket.write(commandAnswer(await machine.command(locality, command)));
          break;
        }
        case commandCode.remoteHandshake: {
          const clientVersion = await readWord(socket);
          if (clientVersion === undefined || clientVersion === 0) return;
          socket.write(handshakeAnswer);
          break;
        }
        case commandCode.hashStart:
          await machine.control(control.hashStart);
          socket.write(acknowledgement);
          break;
        case commandCode.hashData: {
          const data = await readBody(socket);
          if (data === undefined) return;
          await machine.control(control.hashData(data));
          socket.write(acknowledgement);
          break;
        }
        case commandCode.hashEnd:
          await machine.control(control.hashEnd);
          socket.write(acknowledgement);
          break;
        case commandCode.stop:
          void stop();
          return;
        case commandCode.sessionEnd:
        default:
          return;
      }
    }
  } finally {
    await machine.hangUp();
  }
}

async function servePlatform(socket: Socket, machine: SimulatedMachine, stop: Stop): Promise<void> {
  for (;;) {
    const code = await readWord(socket);
    switch (code) {
      case undefined:
      case platformCode.sessionEnd:
        return;
      case platformCode.stop:
        void stop();
        return;
      default: {
        const act = platformAct(code, machine);
        if (act === undefined) {
          socket.end(refusal);
          await once(socket, 'close');
          return;
        }
        await act();
        socket.write(acknowledgement);
      }
    }
  }
}

function platformAct(code: number, machine: SimulatedMachine): (() => Promise<void>) | undefined {
  switch (code) {
    case platformCode.powerOn:
      return machine.powerOn;
    case platformCode.powerOff:
      return machine.powerOff;
    case platformCode.reset:
    case platformCode.restart:
      return machine.reset;
    case platformCode.cancelOn:
      return () => machine.control(control.cancel);
    case platformCode.testFailureMode:
      return machine.fail;
    // swtpm has its NV on, its presence asserted and no key cache: nothing to do.
    case platformCode.nvOn:
    case platformCode.physicalPresenceOn:
    case platformCode.physicalPresenceOff:
    case platformCode.cancelOff:
    case platformCode.keyCacheOn:
    case platformCode.keyCacheOff:
      return () => Promise.resolve();
    default:
      return undefined;
  }
}

async function closeAll(
  servers: readonly Server[],
  sockets: ReadonlySet<Socket>,
  machine: SimulatedMachine,
): Promise<void> {
  const closed = servers.map((server) => once(server, 'close'));
  for (const server of servers) server.close();
  for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
  await machine.hangUp().catch(() => undefined);
}

function checkPort(port: number | undefined): void {
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_534)) {
    throw new InvalidArgumentError('options.port', 'must be an integer from 1 to 65,534', 'ERR_OUT_OF_RANGE');
  }
}
