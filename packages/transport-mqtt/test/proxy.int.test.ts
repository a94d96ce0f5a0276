/** Both ways through a CONNECT proxy, against the emulator. */
import { startEmulator } from '@endorse/emulator';
import { runProxySuite } from '@endorse/testkit/proxy-suite';
import { createMqttTransport } from '@endorse/transport-mqtt';

runProxySuite({
  startService: startEmulator,
  hostOf: ({ endpoints }) => new URL(endpoints.mqtt).host,
  defaultPort: 8883,
  createTransport: createMqttTransport,
});
