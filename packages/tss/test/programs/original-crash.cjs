/**
 * Shows how the original tss.js takes its process down: `refused` (nobody listens on the port given next) or `short`
 * (a response of two bytes). Prints `settled` when its callback is called, which is what should happen.
 */
const { Tpm } = require('tss.js');

const [, , how, port] = process.argv;
if (how === 'refused') {
  new Tpm(true, '127.0.0.1', Number(port)).connect(() => console.log('settled'));
} else {
  const tpm = new Tpm(true);
  tpm.device = { dispatchCommand: (command, continuation) => continuation(null, Buffer.alloc(2)) };
  tpm.GetRandom(4, () => console.log('settled'));
}
