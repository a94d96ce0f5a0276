/**
 * A device as a process of its own. `DIE_AT` names the event of its progress at which it kills itself, as a power
 * loss does. Otherwise it prints its device id.
 */
import { Secret } from '@endorse/interface';
import { ensureRegistered } from '../../src/client/index.ts';

const read = (name: string): string => process.env[name] ?? '';
const { deviceId } = await ensureRegistered({
  token: Secret.fromText(read('TOKEN')),
  manufacturerId: 'SN-1',
  stateFile: read('STATE_FILE'),
  url: `${read('ORIGIN')}/api/register-device`,
  allowPlainHttp: true,
  onProgress: ({ event }) => {
    if (event === process.env['DIE_AT']) process.kill(process.pid, 'SIGKILL');
  },
});
process.stdout.write(`${deviceId}\n`);
