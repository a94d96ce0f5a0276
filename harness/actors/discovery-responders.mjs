// Answers as many devices: `COUNT`. Sends `{ port }` to its parent once all of them listen; ends with its parent.
import { startResponder } from '@endorse/discovery';

const count = Number(process.argv[2]);
let port = 0;
for (let index = 0; index < count; index += 1) {
  const digits = index.toString(16).padStart(4, '0');
  const responder = await startResponder({
    device: {
      serial: `TBBA${digits}7${digits}`,
      vendor: 'Example',
      model: 'AIG-301',
      mac: `0090e800${digits}`,
      addresses: [],
      api: { scheme: 'https', port: 8443, path: '/api/v1' },
      state: 'factory',
      capabilities: ['tpm', 'dps'],
    },
    port,
    addresses: [`127.2.${Math.floor(index / 250)}.${1 + (index % 250)}`],
  });
  ({ port } = responder);
}
process.on('disconnect', () => process.exit());
process.send?.({ port });
