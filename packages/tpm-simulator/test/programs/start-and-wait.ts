/** Starts a simulator, restarts it, says where it is, and waits to be killed. */
import { startTpmSimulator } from '@endorse/tpm-simulator';

const simulator = await startTpmSimulator();
await simulator.restart();
console.log(JSON.stringify({ pid: simulator.pid, stateDirectory: simulator.stateDirectory }));
process.stdin.resume();
