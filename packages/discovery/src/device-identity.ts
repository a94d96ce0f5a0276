/** When two announcements are of one device. */
import type { DeviceAnnouncement } from './messages.ts';

/** Name of a device in a run: serial and vendor without regard to case. */
export function deviceKey({ serial, vendor = '' }: DeviceAnnouncement): string {
  return `${vendor.toLowerCase()}/${serial.toLowerCase()}`;
}

/**
 * Serial numbers that works put on devices before the real one: all the same digit, `123456…`, `default`,
 * and those that end in `1234567`. Several devices have them, so they identify none.
 */
export function isPlaceholderSerial(serial: string): boolean {
  const text = serial.toLowerCase().replaceAll(/[\s:_.-]/g, '');
  return (
    text.length < 2 ||
    /^(.)\1*$/.test(text) ||
    /(^|\D)0?123456(7(8(90?)?)?)?$/.test(text) ||
    /^(default|none|null|undefined|unknown|na|n\/a|serial|serialnumber|sn|test|tobefilledbyoem)$/.test(text)
  );
}

/** A MAC that says something: all zeros and all ones mean "absent". */
export function usableMac({ mac }: DeviceAnnouncement): string | undefined {
  return mac === undefined || /^(0{12}|f{12})$/.test(mac) ? undefined : mac;
}

/**
 * True when announcements with the same key, from different addresses, are of one device: something that
 * only it can know is equal, and nothing contradicts. A dual-homed device announces the same MAC everywhere.
 */
export function isSameDevice(a: DeviceAnnouncement, b: DeviceAnnouncement): boolean {
  if (isPlaceholderSerial(a.serial)) return false;
  const macs = compare(usableMac(a), usableMac(b));
  const tls = compare(a.tlsSha256, b.tlsSha256);
  return macs !== 'differ' && tls !== 'differ' && (macs === 'equal' || tls === 'equal');
}

function compare(a: string | undefined, b: string | undefined): 'equal' | 'differ' | 'unknown' {
  if (a === undefined || b === undefined) return 'unknown';
  return a === b ? 'equal' : 'differ';
}
