import { parseHostPort, formatHostPort } from '@endorse/protocol';
import { defineCommand, type Command, type CommandContext } from '../command/command.ts';
import type { Finding, FindingLevel } from '../doctor/finding.ts';
import { carrierFinding } from '../doctor/carrier-finding.ts';
import { httpGreeting, streamCarriers } from '../doctor/greeting.ts';
import { hostFindings } from '../doctor/host-findings.ts';
import type { ProbeTarget } from '../doctor/probe-host.ts';
import { probeHost } from '../doctor/probe-host.ts';
import { findProxy } from '../doctor/proxy.ts';
import { tpmFindings } from '../doctor/tpm-findings.ts';
import { checkOption } from '../command/check-option.ts';
import { carrierNames } from '../transport/carriers.ts';
import { readOptionFile } from './read-file.ts';

/** `endorse doctor`: says what stands between this machine and a registration, and what to do about it. */
export const doctorCommand: Command = defineCommand({
  path: ['doctor'],
  summary: 'find out what stands between this machine and a registration',
  description: [
    'Looks at the TPM (permissions, resource manager, lockout, keys, and the endorsement key against the maker’s certificate) and at the way to the service (proxy, name, reachability, TLS trust, clock, and what each carrier is answered with). Every finding comes with what to do about it.',
    'Nothing is changed: no key is created to stay, and the service is sent nothing but what every stranger may say: GET /, the header of AMQP, and an MQTT CONNECT without credentials.',
    'Without --tpm the usual TPM of the platform is looked at, and its absence is only a warning. Without --host the network is left alone.',
    'Without --transport every carrier is tried at its usual port, and one that fails is only a warning where it is not HTTP; where --host names a port, HTTP alone is.',
  ],
  options: {
    tpm: { type: 'string', value: 'URL', summary: 'TPM to look at' },
    host: { type: 'string', value: 'HOST[:PORT]', summary: 'provisioning service to reach for' },
    transport: {
      type: 'string',
      value: 'NAME',
      summary: 'the one carrier to try',
      choices: carrierNames,
    },
    ca: { type: 'string', value: 'FILE', summary: 'PEM certificates to trust instead of the usual ones' },
    'timeout-ms': {
      type: 'integer',
      value: 'N',
      summary: 'longest time to reach for the service',
      minimum: 1,
      maximum: 600_000,
      default: 10_000,
    },
  },
  environment: {
    HTTPS_PROXY: 'proxy that the service is reached through',
    NO_PROXY: 'hosts that are reached without it',
    NODE_EXTRA_CA_CERTS: 'file of further certificates to trust',
  },
  examples: [
    { line: 'endorse doctor --host global.azure-devices-provisioning.net', says: 'this machine and Azure' },
    { line: 'endorse doctor --tpm swtpm://127.0.0.1:2321', says: 'a simulator alone' },
    {
      line: 'endorse doctor --host global.azure-devices-provisioning.net --transport amqp',
      says: 'whether port 5671 is open',
    },
    {
      line: 'endorse doctor --host localhost:8443 --ca ./ca/ca.pem --json',
      says: 'endorse emulator, for a program',
    },
  ],
  exitCodes: { 0: 'no finding is an error; there may be warnings', 1: 'at least one finding is an error' },
  async run(values, context) {
    const { host } = values;
    if (host !== undefined) checkOption('host', () => parseHostPort(host));
    const ca = values.ca === undefined ? undefined : readOptionFile('ca', values.ca);
    const address = values.tpm ?? usualTpm(context.platform);
    if (address !== undefined) {
      const { parseTpmAddress } = await import('@endorse/security-tpm');
      checkOption('tpm', () => parseTpmAddress(address));
    }
    const findings: Finding[] = [];
    const report = (found: readonly Finding[]): void => {
      for (const finding of found) printFinding(finding, context);
      findings.push(...found);
    };
    const { signal } = context;
    if (address === undefined)
      report([skipped('tpm-device', 'this platform has no usual TPM: give --tpm URL')]);
    else report(await tpmFindings({ address, isWanted: values.tpm !== undefined, signal }));
    if (host === undefined) report([skipped('reachability', 'no service was named: give --host HOST')]);
    else {
      const { transport, 'timeout-ms': timeoutMs } = values;
      const service = { host, ca, transport, timeoutMs, signal, env: context.env };
      for (const found of await Promise.all(probeService(service))) report(found);
    }
    return printSummary(findings, context);
  },
});

/** What `--host` and the options beside it ask for. */
interface ServiceProbe extends Pick<ProbeTarget, 'ca' | 'timeoutMs' | 'signal'> {
  readonly host: string;
  readonly transport: string | undefined;
  readonly env: CommandContext['env'];
}

/** Findings of each carrier that is tried, all at once: none waits for another one's time limit. */
function probeService(service: ServiceProbe): readonly Promise<readonly Finding[]>[] {
  const { host, ca, transport, timeoutMs, signal, env } = service;
  return namesToTry(service).map(async (carrier) => {
    const stream = streamCarriers[carrier];
    const target = parseHostPort(host, { defaultPort: stream?.port ?? 443 });
    const proxy = await findProxy(env, target.host, target.port);
    const way = { ...target, ca, proxy, timeoutMs, signal };
    const evidence = { name: formatHostPort(target), proxy, timeoutMs };
    if (stream === undefined) return hostFindings({ ...evidence, probe: await probeHost(way, httpGreeting) });
    const probe = await probeHost(way, stream.greeting);
    return [carrierFinding({ ...evidence, carrier, isWanted: carrier === transport, probe })];
  });
}

function namesToTry({ host, transport }: ServiceProbe): readonly string[] {
  if (transport !== undefined) return [transport];
  // The port that is named is one carrier's.
  const hasPort =
    parseHostPort(host, { defaultPort: 1 }).port === parseHostPort(host, { defaultPort: 2 }).port;
  return hasPort ? ['http'] : carrierNames;
}

function usualTpm(platform: NodeJS.Platform): string | undefined {
  switch (platform) {
    case 'linux':
      return 'device:';
    case 'win32':
      return 'tbs:';
    default:
      return undefined;
  }
}

function skipped(check: string, message: string): Finding {
  return { check, level: 'skipped', message };
}

function printFinding(finding: Finding, { output }: CommandContext): void {
  const { style } = output;
  const marks: Readonly<Record<FindingLevel, string>> = {
    ok: style('green', '✓'),
    warning: style('yellow', '!'),
    error: style('red', '✗'),
    skipped: style('dim', '·'),
  };
  output.event({ event: 'finding', ...finding });
  const code = finding.code === undefined ? '' : style('dim', ` [${finding.code}]`);
  output.result(
    `${marks[finding.level]} ${style('bold', finding.check.padEnd(24))} ${printable(finding.message)}${code}`,
  );
  if (finding.remedy !== undefined)
    output.result(`  ${' '.repeat(24)} ${style('cyan', '→')} ${finding.remedy}`);
}

function printSummary(findings: readonly Finding[], { output }: CommandContext): 0 | 1 {
  const count = (level: FindingLevel): number => findings.filter((finding) => finding.level === level).length;
  const errors = count('error');
  const warnings = count('warning');
  output.event({ event: 'diagnosed', ok: errors === 0, errors, warnings });
  const text = `${errors} ${errors === 1 ? 'error' : 'errors'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`;
  output.result('');
  output.result(output.style(errors === 0 ? 'green' : 'red', text));
  return errors === 0 ? 0 : 1;
}

/** Certificates and proxies are other people's text: no control characters on the terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}
