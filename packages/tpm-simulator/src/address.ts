import { InvalidArgumentError } from '@endorse/interface';

/** Where one of swtpm's two channels listens. */
export type ChannelEndpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** Both channels of one swtpm: TPM commands, and the simulator's own control. */
export interface SimulatorEndpoints {
  /** Carries bare TPM commands. */
  readonly data: ChannelEndpoint;
  /** Carries power, locality and cancel. By tpm2-tss's convention at `path + '.ctrl'` or `port + 1`. */
  readonly control: ChannelEndpoint;
}

const maxPort = 65_534; // The control channel needs the port after it.

/**
 * Parses `swtpm://host:port` or `swtpm+unix:///path`.
 * Throws `ERR_INVALID_ARGUMENT` for anything else.
 */
export function parseSimulatorAddress(address: string): SimulatorEndpoints {
  if (typeof address !== 'string' || !URL.canParse(address)) throw badAddress();
  const url = new URL(address);
  if (url.protocol === 'swtpm+unix:' && url.host === '' && url.pathname.length > 1) {
    return unixEndpoints(decodePath(url.pathname));
  }
  const port = Number(url.port);
  if (url.protocol === 'swtpm:' && url.hostname !== '' && port >= 1 && port <= maxPort) {
    return tcpEndpoints(url.hostname.replace(/^\[|\]$/g, ''), port);
  }
  throw badAddress();
}

/** The endpoints of a simulator on unix sockets. */
export function unixEndpoints(path: string): SimulatorEndpoints {
  return { data: { kind: 'unix', path }, control: { kind: 'unix', path: `${path}.ctrl` } };
}

/** The endpoints of a simulator on two neighbouring TCP ports. */
export function tcpEndpoints(host: string, port: number): SimulatorEndpoints {
  return { data: { kind: 'tcp', host, port }, control: { kind: 'tcp', host, port: port + 1 } };
}

/** The address as users write it. */
export function formatSimulatorAddress({ data }: SimulatorEndpoints): string {
  if (data.kind === 'tcp') {
    return `swtpm://${data.host.includes(':') ? `[${data.host}]` : data.host}:${data.port}`;
  }
  return `swtpm+unix://${data.path.split('/').map(encodeURIComponent).join('/')}`;
}

/** The address as tpm2-tss and tpm2-tools write it. */
export function formatTcti({ data }: SimulatorEndpoints): string {
  return data.kind === 'tcp' ? `swtpm:host=${data.host},port=${data.port}` : `swtpm:path=${data.path}`;
}

function decodePath(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    throw badAddress();
  }
}

function badAddress(): InvalidArgumentError {
  return new InvalidArgumentError('address', 'must be swtpm://host:port or swtpm+unix:///path');
}
