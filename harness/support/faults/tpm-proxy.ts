/**
 * A proxy in front of swtpm that answers in its place, or spoils its answers: what TPMs, drivers and buses do when
 * something is wrong. It speaks swtpm's socket protocol, a bare stream of commands and responses, each with a header of
 * ten bytes before anything else: tag, size and code (TCG TPM 2.0 Part 1, Command/Response Structure).
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The response codes that say: not now. */
const warnings = { retry: 0x922, yielded: 0x908, testing: 0x90a, lockout: 0x921 } as const;

/** What becomes of one command. */
export type TpmFault =
  /** A warning instead of an execution. */
  | keyof typeof warnings
  /** A tag that no response has. */
  | 'wrong-tag'
  /** A response that says it is shorter than a header. */
  | 'short-response'
  /** A response that says it is larger than any buffer. */
  | 'oversize-response'
  /** The connection closes once the command was executed, before the response. */
  | 'disconnect'
  /** The command is never answered. */
  | 'stall'
  /** The response to the command before, once more. */
  | 'previous-response';

/** Every fault, for those who go through them all. */
export const tpmFaults: readonly TpmFault[] = Object.freeze([
  'retry',
  'yielded',
  'testing',
  'lockout',
  'wrong-tag',
  'short-response',
  'oversize-response',
  'disconnect',
  'stall',
  'previous-response',
]);

/** A running proxy. */
export interface TpmProxy extends AsyncDisposable {
  /** `swtpm+unix:///…`, in place of the simulator's. */
  readonly address: string;
  /** Codes of the commands that came between the last two calls of {@link TpmProxy.arm}, in order. */
  readonly lastCommandCodes: readonly number[];
  /** Connections that devices hold open. */
  readonly deviceConnections: number;
  /** Arms one fault for the n-th command from now, counted from 0; undefined disarms. */
  arm(fault: TpmFault | undefined, command?: number): void;
  /** True when the armed fault struck. */
  readonly struck: boolean;
}

const headerBytes = 10;

/** Starts a proxy in front of the simulator at `swtpm+unix:///path`. */
export async function startTpmProxy(simulatorAddress: string): Promise<TpmProxy> {
  const upstream = decodeURIComponent(new URL(simulatorAddress).pathname);
  const folder = mkdtempSync(join(tmpdir(), 'endorse-tpm-proxy-'));
  const path = join(folder, 'tpm');
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    return socket;
  };
  const devices = new Set<Socket>();
  let lastCodes: readonly number[] = [];
  const plan: FaultPlan = { fault: undefined, command: 0, codes: [], struck: false };
  const servers = await Promise.all([
    listen(path, (client) => {
      devices.add(client);
      client.once('close', () => devices.delete(client));
      relayCommands(track(client), track(connect(upstream)), plan);
    }),
    listen(`${path}.ctrl`, (client) => relayBytes(track(client), track(connect(`${upstream}.ctrl`)))),
  ]);
  return {
    address: `swtpm+unix://${path}`,
    get lastCommandCodes() {
      return lastCodes;
    },
    get deviceConnections() {
      return devices.size;
    },
    arm: (fault, command = 0) => {
      lastCodes = plan.codes;
      Object.assign(plan, { fault, command, codes: [], struck: false } satisfies FaultPlan);
    },
    get struck() {
      return plan.struck;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all(
        servers.map(async (server) => {
          server.close();
          await once(server, 'close');
        }),
      );
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface FaultPlan {
  fault: TpmFault | undefined;
  command: number;
  codes: number[];
  struck: boolean;
}

async function listen(path: string, serve: (client: Socket) => void): Promise<Server> {
  const server = createServer(serve).listen(path);
  await once(server, 'listening');
  return server;
}

function relayBytes(client: Socket, tpm: Socket): void {
  client.pipe(tpm);
  tpm.pipe(client);
}

function relayCommands(client: Socket, tpm: Socket, plan: FaultPlan): void {
  let previous: Buffer | undefined;
  let fault: TpmFault | undefined;
  onFrames(client, (command) => {
    fault = takeFault(plan, command.readUInt32BE(6));
    const warning = fault === undefined ? undefined : (warnings as Readonly<Record<string, number>>)[fault];
    if (warning !== undefined) client.write(errorResponse(warning));
    else if (fault !== 'stall') tpm.write(command);
  });
  onFrames(tpm, (response) => {
    switch (fault) {
      case 'wrong-tag':
        client.write(withUInt16(response, 0, 0x1234));
        break;
      case 'short-response':
        client.write(withUInt32(response, 2, headerBytes - 1));
        break;
      case 'oversize-response':
        client.write(withUInt32(response, 2, 0x7fff_ffff));
        break;
      case 'disconnect':
        client.destroy();
        break;
      case 'previous-response':
        client.write(previous ?? response);
        break;
      default:
        client.write(response);
    }
    previous = response;
  });
  for (const [socket, other] of [
    [client, tpm],
    [tpm, client],
  ] as const) {
    socket.once('close', () => other.destroy());
  }
}

function takeFault(plan: FaultPlan, commandCode: number): TpmFault | undefined {
  const isItsTurn = plan.codes.length === plan.command && !plan.struck;
  plan.codes.push(commandCode);
  if (!isItsTurn || plan.fault === undefined) return undefined;
  plan.struck = true;
  return plan.fault;
}

/** Cuts a stream into frames by their size field. */
function onFrames(socket: Socket, onFrame: (frame: Buffer) => void): void {
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= headerBytes) {
      const size = pending.readUInt32BE(2);
      if (pending.length < size) return;
      onFrame(pending.subarray(0, size));
      pending = pending.subarray(size);
    }
  });
}

function errorResponse(code: number): Buffer {
  const response = Buffer.alloc(headerBytes);
  response.writeUInt16BE(0x8001, 0);
  response.writeUInt32BE(headerBytes, 2);
  response.writeUInt32BE(code, 6);
  return response;
}

function withUInt16(bytes: Buffer, offset: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt16BE(value, offset);
  return copy;
}

function withUInt32(bytes: Buffer, offset: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt32BE(value, offset);
  return copy;
}
