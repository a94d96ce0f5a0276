/** Starts a simulator, says where it is, and ends without stopping it. */
import { startTpmSimulator } from '@endorse/tpm-simulator';

const simulator = await startTpmSimulator();
console.log(JSON.stringify({ pid: simulator.pid, stateDirectory: simulator.stateDirectory }));
