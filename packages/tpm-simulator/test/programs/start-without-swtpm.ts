/** Tries to start a simulator and reports how that failed. */
import { SimulatorError, startTpmSimulator } from '@endorse/tpm-simulator';

try {
  const simulator = await startTpmSimulator();
  await simulator.stop();
  console.log(JSON.stringify({ started: true }));
} catch (error) {
  if (!(error instanceof SimulatorError)) throw error;
  console.log(JSON.stringify({ code: error.code, message: error.message, remedy: error.remedy }));
}
