import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';

/** What connections that do nothing cost the registrar. */
export interface IdleConnectionFigures {
  readonly connections: number;
  readonly kibibytesEach: number;
}

const child = fileURLToPath(new URL('./registrar-child.ts', import.meta.url));

/** Opens `count` TLS connections, a hundred at a time, and asks the registrar for its memory before and after. */
export async function measureIdleConnections(count: number): Promise<IdleConnectionFigures> {
  const registrar = spawn(process.execPath, ['--conditions=@endorse/source', '--expose-gc', child], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: registrar.stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<number> => Number((await lines.next()).value);
  const sockets: TLSSocket[] = [];
  try {
    const port = await read();
    const memory = async (): Promise<number> => {
      registrar.stdin.write('memory\n');
      return read();
    };
    const open = async (): Promise<void> => {
      // The figure is about the server; whom the client trusts does not matter here.
      const socket = connect({ port, host: 'localhost', rejectUnauthorized: false });
      sockets.push(socket);
      await once(socket, 'secureConnect');
    };
    // What the first connections load and grow is no cost of the others.
    await Promise.all(Array.from({ length: 50 }, open));
    const before = await memory();
    for (let opened = 0; opened < count; opened += 100) await Promise.all(Array.from({ length: 100 }, open));
    const after = await memory();
    return { connections: count, kibibytesEach: (after - before) / count / 1024 };
  } finally {
    for (const socket of sockets) socket.destroy();
    const ended = once(registrar, 'close');
    registrar.kill('SIGKILL');
    await ended;
  }
}
