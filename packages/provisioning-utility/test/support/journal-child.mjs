import { openJournal } from '@endorse/provisioning-utility';

const [, , path = '', what = ''] = process.argv;
const journal = await openJournal(path, { resume: true, planDigest: 'd' });
if (journal.earlier.length === 0) {
  await journal.append({ event: 'run-started', at: 1, runId: 'r', planDigest: 'd', deviceCount: 1 });
}
if (what === 'die') process.kill(process.pid, 'SIGKILL');
let written = 0;
try {
  for (;;) {
    await journal.append({ event: 'device-started', at: 2, device: 'x'.repeat(100) });
    written += 1;
  }
} catch (error) {
  console.log(JSON.stringify({ code: error.code, written }));
}
