import { startResponder } from '@endorse/discovery';

const name = process.argv[2] ?? '';
await startResponder({
  device: {
    serial: `SERIAL-${name}`,
    addresses: [],
    api: { scheme: 'https', port: 8443, path: '/api/v1' },
    state: 'factory',
    capabilities: [],
  },
  ipv6: true,
});
console.log(name);
