import { VirtualClock } from '@endorse/interface/virtual-clock';
import type {
  DeviceAnnouncement,
  DiscoverOptions,
  DiscoveryEvent,
  DiscoverySummary,
  Responder,
  ResponderOptions,
} from '@endorse/discovery';
import { discover, startResponder } from '@endorse/discovery';
import { device, seededRandom } from './devices.ts';
import { VirtualLink } from './virtual-link.ts';

/** A prober at 192.168.3.10 and any number of devices, on a virtual link and a virtual clock. */
export class VirtualRun {
  readonly clock = new VirtualClock(0);
  readonly link = new VirtualLink();
  readonly events: DiscoveryEvent[] = [];

  /** Puts a device on the link. */
  async device(
    address: string,
    changes: Partial<DeviceAnnouncement> = {},
    options: Partial<ResponderOptions> & { readonly netmask?: string } = {},
  ): Promise<Responder> {
    const { netmask, ...rest } = options;
    const [a, b, c, d] = address.split('.').map(Number);
    return startResponder({
      device: device({ addresses: [address], ...changes }),
      clock: this.clock,
      random: seededRandom((a ?? 0) * 16_777_216 + (b ?? 0) * 65_536 + (c ?? 0) * 256 + (d ?? 0)),
      ...this.link.host(address, netmask === undefined ? {} : { netmask }),
      ...rest,
    });
  }

  /** Options of a prober on this link. */
  options(options: DiscoverOptions = {}): DiscoverOptions {
    return {
      clock: this.clock,
      random: seededRandom(7),
      ...this.link.host('192.168.3.10', { ipv6: 'fe80::10' }),
      ...options,
    };
  }

  /** Runs discovery for its window of virtual time. */
  async discover(options: DiscoverOptions = {}): Promise<DiscoverySummary> {
    const run = (async () => {
      for await (const event of discover(this.options(options))) this.events.push(event);
    })();
    await this.clock.advance(options.windowMs ?? 5000);
    await run;
    const last = this.events.at(-1);
    if (last?.event !== 'window-closed') throw new Error('the run did not end with a summary');
    return last.summary;
  }

  /** Events of one kind. */
  told<Name extends DiscoveryEvent['event']>(name: Name): Extract<DiscoveryEvent, { event: Name }>[] {
    return this.events.filter(
      (event): event is Extract<DiscoveryEvent, { event: Name }> => event.event === name,
    );
  }
}
