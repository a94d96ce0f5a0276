/** The first bytes of AMQP and of MQTT, both ways. */
import type { Duplex } from 'node:stream';

/**
 * Sends the protocol header of the SASL layer (AMQP 1.0, 5.3.1), which a server answers with its own (2.2). Resolves to
 * the version it speaks.
 */
export async function askAmqp(stream: Duplex): Promise<string> {
  stream.write(Buffer.from('AMQP\u0003\u0001\u0000\u0000', 'latin1'));
  const header = await readBytes(stream, 8);
  if (header.toString('latin1', 0, 4) !== 'AMQP') throw new Error('what answers does not speak AMQP');
  return `AMQP ${header.subarray(5).join('.')}`;
}

/**
 * Sends a CONNECT without user name and password (MQTT 3.1.1, 3.1), which a provisioning service has to refuse. Resolves
 * to what the CONNACK says (3.2).
 */
export async function askMqtt(stream: Duplex): Promise<string> {
  const variableHeader = Buffer.from('\u0000\u0004MQTT\u0004\u0002\u0000\u000A', 'latin1');
  const payload = Buffer.from(`\u0000${String.fromCodePoint(clientId.length)}${clientId}`, 'latin1');
  stream.write(
    Buffer.concat([Buffer.of(0x10, variableHeader.length + payload.length), variableHeader, payload]),
  );
  const [type, length, flags = 0, code = 0] = await readBytes(stream, 4);
  if (type !== 0x20 || length !== 2 || flags > 1) throw new Error('what answers does not speak MQTT');
  return `MQTT 3.1.1 (${returnCodes[code] ?? `return code ${code}`})`;
}

const clientId = 'endorse-doctor';

const returnCodes: readonly string[] = [
  'it takes a stranger in',
  'it refuses the version',
  'it refuses the client id of a stranger',
  'it is unavailable',
  'it refuses a stranger, as it should',
  'it refuses a stranger, as it should',
];

/** The first bytes of a stream. Rejects when it ends before, also by being destroyed. */
function readBytes(stream: Duplex, count: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < count) return;
      stream.off('data', onData);
      resolve(bytes.subarray(0, count));
    };
    const onEnd = (): void => reject(new Error('the connection was closed instead of an answer'));
    stream.on('data', onData);
    stream.once('error', reject);
    stream.once('end', onEnd);
    stream.once('close', onEnd);
  });
}
