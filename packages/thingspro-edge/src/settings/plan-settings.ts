/**
 * From present and desired settings to the steps between, in the order in which they can be made:
 * what serves first, then the doors (console, SSH, discovery), then what cuts the connection they are made over.
 */
import { InvalidArgumentError } from '@endorse/interface';
import { checkHostName } from '../calls/identity-calls.ts';
import { integer } from '../options.ts';
import type {
  DesiredGatewaySettings,
  GatewayService,
  GatewaySettings,
  SettingStep,
  SettingWrite,
} from './settings.ts';

/** Options of {@link planSettings}. */
export interface PlanSettingsOptions {
  /**
   * Lets HTTPS be turned off, or the network port that may be the only one: afterwards the gateway cannot be managed
   * over the network. Default false.
   */
  readonly allowLockout?: boolean | undefined;
}

/** Services whose end is, or may be, the end of the connection. */
const cuttingServices: ReadonlySet<string> = new Set(['httpsservice', 'lan1', 'lan2', 'wifi', 'cellular']);

/**
 * Compares, and lists one step for each desired setting, in the order they have to be made. Pure.
 *
 * Throws `ERR_INVALID_ARGUMENT` for a value that no gateway takes, and for turning off HTTPS or a network port without
 * `allowLockout`.
 */
export function planSettings(
  current: GatewaySettings,
  desired: DesiredGatewaySettings,
  options: PlanSettingsOptions = {},
): readonly SettingStep[] {
  checkDesired(desired, options.allowLockout === true);
  const services = Object.entries(desired.services ?? {}).map(([id, enabled]) =>
    planService(current.services, id, enabled),
  );
  const isCutting = (step: SettingStep): boolean => step.effect === 'change' && step.cutsConnection;
  return [
    ...planValue('host-name', current.hostName, desired.hostName, (value) => ({
      setting: 'host-name',
      value,
    })),
    ...services.filter((step) => !isCutting(step)),
    ...planSwitch('serial-console', current.serialConsole, desired.serialConsole),
    ...planSsh(current, desired),
    ...planSwitch('discovery', current.discovery, desired.discovery),
    ...services.filter(isCutting),
    ...planHttps(current, desired),
  ];
}

function checkDesired(desired: DesiredGatewaySettings, allowLockout: boolean): void {
  const { hostName, ssh, https, services } = desired;
  if (hostName !== undefined) checkHostName(hostName);
  if (ssh?.port !== undefined) integer('desired.ssh.port', ssh.port, 65_535);
  if (
    https?.port !== undefined &&
    integer('desired.https.port', https.port, 65_535) < 1024 &&
    https.port !== 443
  ) {
    throw new InvalidArgumentError('desired.https.port', 'must be 443 or 1024 to 65535', 'ERR_OUT_OF_RANGE');
  }
  if (allowLockout) return;
  if (https?.enabled === false || services?.['httpsservice'] === false) {
    throw new InvalidArgumentError(
      https?.enabled === false ? 'desired.https.enabled' : 'desired.services.httpsservice',
      'would leave no way to manage the gateway; set allowLockout if that is what you want',
    );
  }
  for (const id of ['lan1', 'lan2', 'wifi', 'cellular']) {
    if (services?.[id] === false) {
      throw new InvalidArgumentError(
        `desired.services.${id}`,
        'may be the network port this is done over; set allowLockout if it is not, or if that is what you want',
      );
    }
  }
}

function planValue<Value extends string | number | boolean>(
  name: string,
  current: Value | undefined,
  desired: Value | undefined,
  toWrite: (value: Value) => SettingWrite,
  cutsConnection = false,
): readonly SettingStep[] {
  if (desired === undefined) return [];
  if (current === undefined) {
    return [{ effect: 'not-applicable', name, reason: 'this gateway has no such setting' }];
  }
  const from = describe(current);
  if (current === desired) return [{ effect: 'unchanged', name, from }];
  return [{ effect: 'change', name, from, to: describe(desired), cutsConnection, write: toWrite(desired) }];
}

function planSwitch(
  name: 'serial-console' | 'discovery',
  current: boolean | undefined,
  desired: boolean | undefined,
): readonly SettingStep[] {
  return planValue(name, current, desired, (value) => ({ setting: name, value }));
}

function planSsh(
  { ssh: current }: GatewaySettings,
  { ssh: desired }: DesiredGatewaySettings,
): readonly SettingStep[] {
  if (desired?.enabled === undefined && desired?.port === undefined) return [];
  if (current === undefined) {
    return [{ effect: 'not-applicable', name: 'ssh', reason: 'this gateway has no such setting' }];
  }
  const value = { enabled: desired.enabled ?? current.enabled, port: desired.port ?? current.port };
  const text = (ssh: typeof value): string => `${describe(ssh.enabled)}, port ${ssh.port}`;
  if (value.enabled === current.enabled && value.port === current.port) {
    return [{ effect: 'unchanged', name: 'ssh', from: text(current) }];
  }
  const write = { setting: 'ssh', value } as const;
  return [
    { effect: 'change', name: 'ssh', from: text(current), to: text(value), cutsConnection: false, write },
  ];
}

function planHttps(
  { https }: GatewaySettings,
  { https: desired }: DesiredGatewaySettings,
): readonly SettingStep[] {
  return [
    ...planValue(
      'https-port',
      https?.port,
      desired?.port,
      (value) => ({ setting: 'https-port', value }),
      true,
    ),
    ...planValue('https', https?.enabled, desired?.enabled, (value) => ({ setting: 'https', value }), true),
  ];
}

function planService(
  services: readonly GatewayService[] | undefined,
  id: string,
  desired: boolean,
): SettingStep {
  const name = `service:${id}`;
  const service = services?.find((each) => each.id === id);
  if (service === undefined) {
    const reason =
      services === undefined ? 'this gateway has no list of services' : 'this gateway has no such service';
    return { effect: 'not-applicable', name, reason };
  }
  if (!service.available) return { effect: 'not-applicable', name, reason: 'the service is not available' };
  const from = describe(service.enabled);
  if (service.enabled === desired) return { effect: 'unchanged', name, from };
  return {
    effect: 'change',
    name,
    from,
    to: describe(desired),
    cutsConnection: !desired && cuttingServices.has(id),
    write: { setting: 'service', id, value: desired },
  };
}

function describe(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return String(value);
}
