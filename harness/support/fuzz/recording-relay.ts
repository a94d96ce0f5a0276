import { connect } from 'node:tls';
import type { RecordedSession } from '@endorse/fuzzing';
import { startTlsPeer } from '@endorse/testkit';

/** What both sides of a session wrote. */
export interface Conversation {
  readonly client: RecordedSession;
  readonly server: RecordedSession;
}

/** Where a client connects to be recorded. */
export interface RelayAddress {
  /** `localhost:port`. */
  readonly host: string;
  readonly ca: string;
}

/** Records what a real client and a listener say to each other, between them, in the clear. */
export async function recordConversation(
  listener: { readonly url: string; readonly ca: string },
  drive: (relay: RelayAddress) => Promise<void>,
): Promise<Conversation> {
  const [client, server]: [Uint8Array[], Uint8Array[]] = [[], []];
  const { port } = new URL(listener.url);
  await using peer = await startTlsPeer((near) => {
    const far = connect({ port: Number(port), host: '127.0.0.1', servername: 'localhost', ca: listener.ca });
    far.on('error', () => near.destroy());
    near.on('data', (chunk: Buffer) => client.push(Uint8Array.from(chunk)));
    far.on('data', (chunk: Buffer) => server.push(Uint8Array.from(chunk)));
    near.pipe(far).pipe(near);
    near.once('close', () => far.destroy());
  });
  await drive(peer);
  return { client: [...client], server: [...server] };
}
