import type { HubOptions } from '@endorse/emulator';
import { UsageError } from '../command/usage-error.ts';

/** Reads `NAME[,weight=N][,port=N]`, a value of `--hub`. Throws `UsageError`; the emulator looks at the numbers. */
export function parseHub(text: string): HubOptions {
  const [name = '', ...settings] = text.split(',');
  const values = settings.map((setting) => {
    const match = /^(weight|port)=(\d{1,6})$/.exec(setting);
    if (match === null) throw new UsageError(`--hub ${text}: ${setting} is neither weight=N nor port=N`);
    return [match[1] === 'weight' ? 'allocationWeight' : 'port', Number(match[2])] as const;
  });
  return { name, ...Object.fromEntries(values) };
}
