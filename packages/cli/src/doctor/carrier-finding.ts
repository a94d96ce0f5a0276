import type { Finding } from './finding.ts';
import type { HostEvidence } from './host-findings.ts';
import { describeProxy, failureFinding, trustRemedy } from './host-findings.ts';
import type { ProbeLayer } from './probe-host.ts';

/** What the finding about a carrier is drawn from. */
export interface CarrierEvidence extends HostEvidence<string> {
  /** As `--transport` takes it; also the name of the check. */
  readonly carrier: string;
  /** False for one that nobody asked for: another may do, so what fails is worth a warning only. */
  readonly isWanted: boolean;
}

/** Says in one line how far a carrier came, or where and why it ended, and which one to take instead. */
export function carrierFinding(evidence: CarrierEvidence): Finding {
  const { carrier, name, proxy, probe, isWanted } = evidence;
  const { addresses = [], tls, answer, failure, elapsedMs } = probe;
  const level = isWanted ? 'error' : 'warning';
  const way = proxy === undefined ? `at ${addresses.join(', ')}` : `through ${describeProxy(proxy)}`;
  if (failure !== undefined) {
    const finding = failureFinding(evidence, failure, `over ${carrier}`);
    const detour = detours[carrier];
    const helps = detour?.around.includes(failure.layer) === true;
    return {
      ...finding,
      check: carrier,
      level,
      ...(helps ? { remedy: `${finding.remedy} ${detour.remedy}` } : {}),
    };
  }
  const secured = tls === undefined ? '' : `${tls.protocol}, certificate issued by ${tls.issuer}`;
  const spoken = `${name} speaks ${answer} (${way}, ${secured}, after ${elapsedMs.toFixed(0)} ms)`;
  if (tls?.trusted === true) return { check: carrier, level: 'ok', message: spoken };
  const problem = tls?.problem ?? 'unknown';
  return {
    check: carrier,
    level,
    code: problem,
    message: `${spoken}, but its certificate is not trusted`,
    remedy: trustRemedy(problem),
  };
}

/** What gets through where a carrier ends at one of these layers. */
interface Detour {
  readonly around: readonly ProbeLayer[];
  readonly remedy: string;
}

const detours: Readonly<Record<string, Detour>> = {
  amqp: aroundPort('amqp-ws'),
  mqtt: aroundPort('mqtt-ws'),
  'amqp-ws': aroundWebSocket(),
  'mqtt-ws': aroundWebSocket(),
};

function aroundPort(webSocket: string): Detour {
  const remedy = `Where only port 443 is open, use --transport ${webSocket} or http.`;
  return { around: ['connect', 'proxy'], remedy };
}

function aroundWebSocket(): Detour {
  return { around: ['answer'], remedy: 'Where WebSockets are not let through, use --transport http.' };
}
