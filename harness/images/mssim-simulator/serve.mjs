/** swtpm with its memory in /state, and the bridge in front of it, until either ends or somebody asks them to. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { startMssimBridge } from '@endorse/tpm-simulator';

const socket = '/run/tpm';
const readyTimeoutMs = 10_000;

const tpm = spawn(
  'swtpm',
  [
    ...['socket', '--tpm2', '--tpmstate', 'dir=/state,mode=0600'],
    ...['--server', `type=unixio,path=${socket}`, '--ctrl', `type=unixio,path=${socket}.ctrl`],
    ...['--flags', 'not-need-init,startup-clear'],
  ],
  { stdio: 'inherit' },
);
tpm.once('exit', (code) => process.exit(code ?? 1));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => tpm.kill(signal));

const deadline = Date.now() + readyTimeoutMs;
while (!existsSync(socket) || !existsSync(`${socket}.ctrl`)) {
  if (Date.now() > deadline) throw new Error('swtpm does not listen');
  await delay(10);
}
await startMssimBridge({ target: `swtpm+unix://${socket}`, bind: '0.0.0.0', port: 2321 });
console.log('the TPM answers on port 2321');
