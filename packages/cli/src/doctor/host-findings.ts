import type { Finding } from './finding.ts';
import type { HttpAnswer } from './greeting.ts';
import type { HostProbe, ProbeLayer } from './probe-host.ts';
import type { EnvironmentProxy } from './proxy.ts';

/** What the findings about a host are drawn from. */
export interface HostEvidence<Answer> {
  /** `host:port`, for messages. */
  readonly name: string;
  readonly proxy: EnvironmentProxy | undefined;
  readonly probe: HostProbe<Answer>;
  /** How long the probe was allowed to take. */
  readonly timeoutMs: number;
}

/** Skew from which a person should look at the clock: the `Date` header counts whole seconds, and requests take time. */
export const clockWarningMs = 30_000;

/** Skew that makes tokens of usual lifetimes and certificates fail. */
export const clockErrorMs = 900_000;

/** Turns a probe into findings, one for each layer it reached, and one that says where it ended. */
export function hostFindings(evidence: HostEvidence<HttpAnswer>): readonly Finding[] {
  const { probe } = evidence;
  const { failure } = probe;
  return [
    proxyFinding(evidence),
    // The finding about the proxy says what it did.
    ...(failure === undefined || failure.layer === 'proxy' ? [] : [failureFinding(evidence, failure)]),
    ...(failure !== undefined && unconnected.includes(failure.layer) ? [] : [reachedFinding(evidence)]),
    ...(probe.tls === undefined ? [] : [trustFinding(evidence, probe.tls)]),
    ...(probe.answer === undefined
      ? []
      : [answerFinding(evidence, probe.answer), clockFinding(probe.answer)]),
  ];
}

const unconnected: readonly ProbeLayer[] = ['resolve', 'connect', 'proxy'];

function proxyFinding(evidence: HostEvidence<unknown>): Finding {
  const { proxy, name, probe } = evidence;
  const check = 'proxy';
  if (proxy === undefined) return { check, level: 'ok', message: `no proxy is set for ${name}` };
  if (probe.failure?.layer === 'proxy') return failureFinding(evidence, probe.failure);
  return { check, level: 'ok', message: `${name} is reached through ${describeProxy(proxy)}` };
}

/** Address of a proxy, without its password, and the variable that named it. */
export function describeProxy({ protocol, host, port, variable }: EnvironmentProxy): string {
  return `${protocol}//${host}:${port} (${variable})`;
}

/** Says at which layer the probe ended, why, and what to do; `greeting` is what an answer was wanted to. */
export function failureFinding(
  { name, proxy, timeoutMs }: HostEvidence<unknown>,
  { layer, error }: NonNullable<HostProbe<unknown>['failure']>,
  greeting = 'HTTP',
): Finding {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const because = error.name === 'TimeoutError' ? `no answer within ${timeoutMs} ms` : error.message;
  const common = { level: 'error', ...(code === undefined ? {} : { code }) } as const;
  switch (layer) {
    case 'resolve':
      return {
        ...common,
        check: 'name-resolution',
        message: `the name of ${name} cannot be resolved: ${because}`,
        remedy: 'Check the spelling of the host and the DNS settings of this machine.',
      };
    case 'proxy': {
      const address = proxy === undefined ? 'of the environment' : describeProxy(proxy);
      const variable = proxy?.variable ?? 'HTTPS_PROXY';
      return {
        ...common,
        check: 'proxy',
        message: `the proxy ${address} does not let us through: ${because}`,
        remedy: `Correct ${variable}, or name the host in NO_PROXY to reach it directly.`,
      };
    }
    case 'connect':
      return {
        ...common,
        check: 'reachability',
        message: `${name} cannot be reached: ${because}`,
        remedy:
          'Check that the service runs and that a firewall on the way allows outgoing TCP to this port.',
      };
    case 'tls':
      return {
        ...common,
        check: 'tls-trust',
        message: `${name} does not complete a TLS handshake: ${because}`,
        remedy: 'Check that the port speaks TLS 1.2 or newer and that nothing on the way intercepts it.',
      };
    case 'answer':
      return {
        ...common,
        check: 'http-answer',
        message: `${name} does not answer ${greeting}: ${because}`,
        remedy: 'Check that host and port are those of a provisioning service.',
      };
    default:
      return layer satisfies never;
  }
}

function reachedFinding({ name, probe }: HostEvidence<unknown>): Finding {
  const where = probe.addresses === undefined ? '' : ` at ${probe.addresses.join(', ')}`;
  return { check: 'reachability', level: 'ok', message: `${name} accepts connections${where}` };
}

function trustFinding({ name }: HostEvidence<unknown>, tls: NonNullable<HostProbe<unknown>['tls']>): Finding {
  const check = 'tls-trust';
  const issuer = `issued by ${tls.issuer}, valid to ${tls.validTo}`;
  if (tls.trusted)
    return {
      check,
      level: 'ok',
      message: `the certificate of ${name} is trusted (${tls.protocol}, ${issuer})`,
    };
  const { problem = 'unknown' } = tls;
  return {
    check,
    level: 'error',
    code: problem,
    message: `the certificate of ${name} is not trusted (${issuer})`,
    remedy: trustRemedy(problem),
  };
}

/** What to do about a certificate, by the problem with it. */
export function trustRemedy(problem: string): string {
  switch (problem) {
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'Use the host name that the certificate is for.';
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return 'Set the clock of this machine; if it is right, the operator of the service has to renew the certificate.';
    default:
      return 'Pass the CA of the service with --ca FILE; if the issuer is your own proxy, pass its CA or bypass it.';
  }
}

function answerFinding({ name, probe }: HostEvidence<HttpAnswer>, { status }: HttpAnswer): Finding {
  const check = 'http-answer';
  if (status < 500)
    return {
      check,
      level: 'ok',
      message: `${name} answers HTTP (status ${status} for /, after ${probe.elapsedMs.toFixed(0)} ms)`,
    };
  return {
    check,
    level: 'warning',
    message: `${name} answers with status ${status}`,
    remedy: 'Try again later; look at the status page of the service.',
  };
}

function clockFinding({ serverMs, localMs }: HttpAnswer): Finding {
  const check = 'clock';
  if (serverMs === undefined)
    return { check, level: 'skipped', message: 'the server does not tell its time' };
  const skewMs = localMs - serverMs;
  const distance = `${(Math.abs(skewMs) / 1000).toFixed(0)} s ${skewMs < 0 ? 'behind' : 'ahead of'} the server`;
  const remedy = 'Synchronise the clock, for example with: timedatectl set-ntp true.';
  if (Math.abs(skewMs) >= clockErrorMs) {
    return {
      check,
      level: 'error',
      message: `this clock is ${distance}: tokens and certificates will be refused`,
      remedy,
    };
  }
  if (Math.abs(skewMs) >= clockWarningMs)
    return { check, level: 'warning', message: `this clock is ${distance}`, remedy };
  return { check, level: 'ok', message: 'this clock agrees with the server' };
}
