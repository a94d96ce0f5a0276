/**
 * Sits between the client and a real TPM like somebody on the bus: records what passes, changes it, loses it.
 */
import { TpmDeviceError, openTpmDevice } from '@endorse/security-tpm';
import type { ConnectTpmDevice, TpmDevice } from '@endorse/security-tpm';
import { commandName } from '@endorse/tpm2';
import { commandCodeOf, responseOf } from './frames.ts';

/** What happens to one command. */
export type Interception =
  /** The TPM never sees it and "answers" with a response code. */
  | { readonly refuse: number }
  /** The connection breaks before or after the TPM has executed it. */
  | { readonly lose: 'before' | 'after' }
  /** The TPM executes it, but nobody hears of it in time. */
  | { readonly timeout: 'before' | 'after' }
  /** Bytes are changed on the way. */
  | { readonly changeCommand: (frame: Uint8Array) => Uint8Array }
  | { readonly changeResponse: (frame: Uint8Array) => Uint8Array }
  /** The TPM executes it, and the response to the command before comes once more instead of its own. */
  | { readonly stale: true }
  /** The test does something while the command is under way. */
  | { readonly meanwhile: () => void };

/** One command that passed. */
export interface PassedCommand {
  /** Name as in Part 3; `0x…` for a command the codec does not know. */
  readonly name: string;
  readonly command: Uint8Array;
  /** Absent when it was lost. */
  response?: Uint8Array;
}

/** A way to a TPM that can be listened to and disturbed. */
export interface Interposer {
  /** To be given as `tpm`. */
  readonly connect: ConnectTpmDevice;
  /** Everything that passed, in order; clear it by setting its length to 0. */
  readonly passed: PassedCommand[];
  /** The open device behind it; undefined while there is none. */
  readonly current: TpmDevice | undefined;
  /** Asked for every command; undefined lets it pass. */
  intercept: ((name: string, index: number) => Interception | undefined) | undefined;
}

/** Makes an interposer in front of the TPM at `address`. */
export function createInterposer(address: string): Interposer {
  const passed: PassedCommand[] = [];
  let current: TpmDevice | undefined;
  const interposer: Interposer = {
    passed,
    intercept: undefined,
    get current() {
      return current;
    },
    connect: async (signal) => {
      const opened = await openTpmDevice(address, { signal });
      const device: TpmDevice = {
        info: opened.info,
        transmit: (frame, options) => opened.transmit(frame, options),
        close: async () => {
          if (current === device) current = undefined;
          await opened.close();
        },
      };
      current = device;
      return wrap(device, passed, (name, index) => interposer.intercept?.(name, index));
    },
  };
  return interposer;
}

function wrap(
  device: TpmDevice,
  passed: PassedCommand[],
  intercept: (name: string, index: number) => Interception | undefined,
): TpmDevice {
  return {
    info: device.info,
    close: () => device.close(),
    transmit: async (frame, options) => {
      const code = commandCodeOf(frame);
      const name = commandName(code) ?? `0x${code.toString(16)}`;
      const entry: PassedCommand = { name, command: Uint8Array.from(frame) };
      passed.push(entry);
      const action = intercept(name, passed.length - 1);
      const before = passed.at(-2)?.response;
      const forward = async (bytes = frame): Promise<Uint8Array> => {
        const response = await device.transmit(bytes, options);
        entry.response = Uint8Array.from(response);
        return response;
      };
      if (action === undefined) return forward();
      if ('refuse' in action) return Uint8Array.from(responseOf(action.refuse));
      if ('changeCommand' in action) return forward(action.changeCommand(Uint8Array.from(frame)));
      if ('changeResponse' in action) return action.changeResponse(await forward());
      if ('stale' in action) {
        const own = await forward();
        return before ?? own;
      }
      if ('meanwhile' in action) {
        action.meanwhile();
        return forward();
      }
      const isTimeout = 'timeout' in action;
      if ((isTimeout ? action.timeout : action.lose) === 'after') await forward();
      await device.close();
      throw new TpmDeviceError(isTimeout ? 'ERR_TPM_TIMEOUT' : 'ERR_TPM_IO', 'lost on purpose', {
        commandSent: true,
      });
    },
  };
}
