import type { SimulatorEndpoints } from './address.ts';
import { openChannel } from './channel.ts';
import type { Channel } from './channel.ts';
import { control, sendControl } from './control-channel.ts';
import { withDeadline } from './deadline.ts';
import { responseLength } from './raw-command.ts';

/** A TPM as the reference simulator offers it: with a power switch and localities. */
export interface SimulatedMachine {
  /** Carries out one command. Empty when the power is off, as the reference server answers. */
  command(locality: number, command: Uint8Array): Promise<Uint8Array>;
  powerOn(): Promise<void>;
  powerOff(): Promise<void>;
  /** Power off and on: the TPM then waits for TPM2_Startup. */
  reset(): Promise<void>;
  /** Makes the TPM answer every command with TPM_RC_FAILURE until a reset. */
  fail(): Promise<void>;
  /** Sends a request of swtpm's control channel. */
  control(message: Uint8Array): Promise<void>;
  /** Lets go of the data connection, so that others can talk to the simulator. */
  hangUp(): Promise<void>;
}

const controlTimeoutMs = 5_000;
const headerBytes = 10;
/** swtpm reads one command of at most so many bytes; a longer one would desynchronise its stream. */
const maxCommandBytes = 4_096;
const highestLocality = 4;
const answerCommandSize = Buffer.from('80010000000a00000142', 'hex');
const answerLocality = Buffer.from('80010000000a00000907', 'hex');

/** Puts a power switch in front of swtpm. `commandTimeoutMs` bounds every single command. */
export function createSimulatedMachine(
  endpoints: SimulatorEndpoints,
  commandTimeoutMs: number,
): SimulatedMachine {
  // swtpm was started and has its power on.
  let powered = true;
  let locality = 0;
  let channel: Channel | undefined;

  const sendMessage = (message: Uint8Array): Promise<void> =>
    withDeadline({ timeoutMs: controlTimeoutMs, state: 'controlling swtpm' }, (signal) =>
      sendControl(endpoints.control, message, signal),
    );
  const enterLocality = async (wanted: number): Promise<void> => {
    if (wanted === locality) return;
    await sendMessage(control.setLocality(wanted));
    locality = wanted;
  };
  const transmit = (command: Uint8Array): Promise<Uint8Array> =>
    withDeadline({ timeoutMs: commandTimeoutMs, state: 'awaiting the TPM' }, async (signal) => {
      channel ??= await openChannel(endpoints.data, signal);
      return channel.exchange(command, responseLength, signal);
    });
  return {
    command: async (wantedLocality, command) => {
      if (!powered) return new Uint8Array(0);
      // swtpm takes what it reads at once for a whole command: a size that is not true must not reach it.
      if (!isWholeCommand(command)) return answerCommandSize;
      if (wantedLocality > highestLocality) return answerLocality;
      await enterLocality(wantedLocality);
      return transmit(command);
    },
    powerOn: async () => {
      if (powered) return;
      await sendMessage(control.init);
      powered = true;
    },
    powerOff: async () => {
      if (!powered) return;
      await sendMessage(control.stop);
      powered = false;
    },
    reset: async () => {
      await sendMessage(control.init);
      powered = true;
    },
    fail: () => sendMessage(control.stop),
    control: sendMessage,
    hangUp: async () => {
      channel?.close();
      channel = undefined;
      await enterLocality(0);
    },
  };
}

function isWholeCommand(command: Uint8Array): boolean {
  return (
    command.length >= headerBytes &&
    command.length <= maxCommandBytes &&
    responseLength(command) === command.length
  );
}
