import { parseHostPort, formatHostPort } from '@endorse/protocol';
import { defineCommand, type Command, type CommandContext } from '../command/command.ts';
import type { Finding, FindingLevel } from '../doctor/finding.ts';
import { hostFindings } from '../doctor/host-findings.ts';
import { probeHost } from '../doctor/probe-host.ts';
import { findProxy } from '../doctor/proxy.ts';
import { tpmFindings } from '../doctor/tpm-findings.ts';
import { checkOption } from '../command/check-option.ts';
import { readOptionFile } from './read-file.ts';

/** `endorse doctor`: says what stands between this machine and a registration, and what to do about it. */
export const doctorCommand: Command = defineCommand({
  path: ['doctor'],
  summary: 'find out what stands between this machine and a registration',
  description: [
    'Looks at the TPM (permissions, resource manager, lockout, keys, and the endorsement key against the maker’s certificate) and at the way to the service (proxy, name, reachability, TLS trust, clock). Every finding comes with what to do about it.',
    'Nothing is changed: no key is created to stay, and the service is sent nothing but GET /.',
    'Without --tpm the usual TPM of the platform is looked at, and its absence is only a warning. Without --host the network is left alone.',
  ],
  options: {
    tpm: { type: 'string', value: 'URL', summary: 'TPM to look at' },
    host: { type: 'string', value: 'HOST[:PORT]', summary: 'provisioning service to reach for' },
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
      line: 'endorse doctor --host localhost:8443 --ca ./ca/ca.pem --json',
      says: 'endorse emulator, for a program',
    },
  ],
  exitCodes: { 0: 'no finding is an error; there may be warnings', 1: 'at least one finding is an error' },
  async run(values, context) {
    const { host } = values;
    const target = host === undefined ? undefined : checkOption('host', () => parseHostPort(host));
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
    if (target === undefined) report([skipped('reachability', 'no service was named: give --host HOST')]);
    else {
      const proxy = await findProxy(context.env, target.host, target.port);
      const timeoutMs = values['timeout-ms'];
      const probe = await probeHost({ ...target, ca, proxy, timeoutMs, signal });
      report(hostFindings({ name: formatHostPort(target), proxy, probe, timeoutMs }));
    }
    return printSummary(findings, context);
  },
});

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
