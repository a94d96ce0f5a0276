/** Both ways through a CONNECT proxy, against the emulator. */
import { startEmulator } from '@endorse/emulator';
import { runProxySuite } from '@endorse/testkit/proxy-suite';
import { createAmqpTransport } from '@endorse/transport-amqp';

runProxySuite({
  startService: startEmulator,
  hostOf: ({ endpoints }) => new URL(endpoints.amqp).host,
  defaultPort: 5671,
  createTransport: createAmqpTransport,
});
