/**
 * A device process for tests with several of them: boots once with a state file.
 * Arguments: state file, journal file, mode (`register`, or `hang` to stop inside the registration).
 */
import { appendFileSync } from 'node:fs';
import { ensureProvisioned } from '@endorse/registration-core/node';
import { createScriptedTransport } from '@endorse/testkit';
import { createFakeTpm } from './fake-identities.ts';
import { assigned, challenge, target } from './scripts.ts';

const [, , stateFile = '', journal = '', mode = 'register'] = process.argv;
const transport = createScriptedTransport([
  challenge,
  {
    call: 'register',
    answer: {
      run: async () => {
        appendFileSync(journal, `${process.pid}\n`);
        // An open handle, or the process would end with its promise pending.
        if (mode === 'hang') await new Promise(() => setInterval(() => undefined, 60_000));
        return assigned;
      },
    },
  },
]);
const device = await ensureProvisioned({
  ...target,
  stateFile,
  transport,
  securityClient: createFakeTpm(),
});
process.stdout.write(`${JSON.stringify(device)}\n`);
