/**
 * `npm run demo`: a device gets its identity, by default from its TPM, step by step, on this machine.
 *
 * Exit codes: 0 everything went as told, 1 something did not, 2 usage error, 130 interrupted.
 */
import { parseArgs } from 'node:util';
import { isEndorseError } from '@endorse/interface';
import type { CarrierName } from './carriers.ts';
import { carriers } from './carriers.ts';
import { runDynamicScenario } from './dynamic-scenario.ts';
import type { DemoSink } from './events.ts';
import { runLoopScenario } from './loop-scenario.ts';
import { createJsonSink, createTextSink } from './render-text.ts';
import type { ScenarioOptions } from './scene.ts';
import { runSymmetricKeyScenario } from './symmetric-key-scenario.ts';
import { runTpmScenario } from './tpm-scenario.ts';
import { runUtilityScenario } from './utility-scenario.ts';
import { runX509Scenario } from './x509-scenario.ts';

const usage = `Usage: npm run demo -- [--transport http|amqp|amqp-ws|mqtt|mqtt-ws] [--attestation tpm|symmetric-key|x509] [--json]
       npm run demo -- --client ll [--dialect dps|drs] [--transport …] [--json]
       npm run demo -- --utility [--json]
       npm run demo -- --dynamic [--json]

Starts the emulated provisioning service, enrolls a device, registers it, sends
telemetry, then shows what happens to somebody else who claims to be that device.
With a TPM, a simulator of one is started, the key for the hub never leaves it, and a
tampered challenge is refused, too.

  --transport NAME       carrier of the registration: http (the default), amqp,
                         amqp-ws, mqtt or mqtt-ws; over MQTT the device also talks
                         to its hub, but a TPM is not offered there by the service
  --attestation KIND     how the device proves itself: tpm (the default),
                         symmetric-key or x509
  --client KIND          core (the default), or ll: the pump-driven client in a loop, with
                         a TPM, told by its states
  --dialect NAME         what the ll client speaks: dps (the default), today's protocol,
                         or drs, that of the requirements of 2017
  --utility              twenty simulated gateways instead, some of them broken: found on
                         the network, planned, provisioned and reported (Linux)
  --dynamic              a device that registers itself with a token instead: a reply
                         is lost, a clone refused, a broker connected, a device revoked
  --json                 one JSON object a line instead of text
  --help                 this text
`;

const scenarios = {
  tpm: runTpmScenario,
  'symmetric-key': runSymmetricKeyScenario,
  x509: runX509Scenario,
  utility: runUtilityScenario,
  dynamic: runDynamicScenario,
  'll-dps': (options: ScenarioOptions) => runLoopScenario(options, 'dps'),
  'll-drs': (options: ScenarioOptions) => runLoopScenario(options, 'drs'),
} as const satisfies Readonly<Record<string, (options: ScenarioOptions) => Promise<void>>>;

type Scenario = keyof typeof scenarios;

const attestations = ['tpm', 'symmetric-key', 'x509'] as const satisfies readonly Scenario[];

const deadlineMs = 180_000;

async function main(): Promise<number> {
  const parsed = parseUsage();
  if (typeof parsed === 'number') return parsed;
  const sink: DemoSink = parsed.json
    ? createJsonSink(process.stdout)
    : createTextSink(process.stdout, { color: process.stdout.isTTY && !process.env['NO_COLOR'] });

  const interrupted = new AbortController();
  const onSignal = (): void => interrupted.abort(new Error('interrupted'));
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  const startedAt = performance.now();
  try {
    await scenarios[parsed.scenario]({
      emit: sink,
      carrier: carriers[parsed.transport],
      signal: AbortSignal.any([interrupted.signal, AbortSignal.timeout(deadlineMs)]),
    });
    sink({ event: 'done', ok: true, wallMs: performance.now() - startedAt });
    return 0;
  } catch (error) {
    report(sink, error);
    sink({ event: 'done', ok: false, wallMs: performance.now() - startedAt });
    return interrupted.signal.aborted ? 130 : 1;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

interface Usage {
  readonly json: boolean;
  readonly transport: CarrierName;
  readonly scenario: Scenario;
}

function parseUsage(): number | Usage {
  try {
    const { values } = parseArgs({
      options: {
        transport: { type: 'string', default: 'http' },
        attestation: { type: 'string', default: 'tpm' },
        client: { type: 'string', default: 'core' },
        dialect: { type: 'string' },
        utility: { type: 'boolean', default: false },
        dynamic: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      return 0;
    }
    const transport = requireOneOf('--transport', values.transport, Object.keys(carriers) as CarrierName[]);
    const attestation = requireOneOf('--attestation', values.attestation, attestations);
    const { attestations: carried, refusals } = carriers[transport].createTransport({}).capabilities;
    if (!values.utility && !carried.includes(attestation)) {
      throw new TypeError(
        `--transport ${transport} does not carry ${attestation}: ${refusals[attestation] ?? ''}`,
      );
    }
    const common = { json: values.json, transport };
    const client = requireOneOf('--client', values.client, ['core', 'll']);
    const dialect = requireOneOf('--dialect', values.dialect ?? 'dps', ['dps', 'drs']);
    if (client === 'll')
      return {
        ...common,
        scenario: loopScenario({ attestation, dialect, transport, utility: values.utility }),
      };
    if (values.dialect !== undefined) throw new TypeError('--dialect needs --client ll');
    if (values.utility && values.dynamic) throw new TypeError('--utility and --dynamic are two stories');
    if (values.dynamic) return { ...common, scenario: 'dynamic' };
    return { ...common, scenario: values.utility ? 'utility' : attestation };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
}

/** The pump-driven client tells one story, with a TPM; the older dialect is HTTP and nothing else. */
function loopScenario(wanted: {
  readonly attestation: string;
  readonly dialect: 'dps' | 'drs';
  readonly transport: string;
  readonly utility: boolean;
}): Scenario {
  const { attestation, dialect, transport, utility } = wanted;
  if (attestation !== 'tpm') throw new TypeError(`--client ll is told with a TPM, not with ${attestation}`);
  if (utility) throw new TypeError('--utility and --client ll are two stories');
  if (dialect === 'drs' && transport !== 'http') {
    throw new TypeError(`--dialect drs goes over http, not over ${transport}`);
  }
  return `ll-${dialect}`;
}

function requireOneOf<Name extends string>(flag: string, value: string, allowed: readonly Name[]): Name {
  const found = allowed.find((name) => name === value);
  if (found !== undefined) return found;
  throw new TypeError(`${flag} is ${value}, but it must be one of: ${allowed.join(', ')}`);
}

function report(sink: DemoSink, error: unknown): void {
  const known = isEndorseError(error) ? error : undefined;
  const remedy = known !== undefined && 'remedy' in known ? known.remedy : undefined;
  sink({
    event: 'error',
    code: known?.code ?? 'ERR_DEMO',
    message: error instanceof Error ? error.message : String(error),
    ...(remedy === undefined ? {} : { remedy }),
  });
}

process.exitCode = await main();
