import type { IssuedServerCertificate, Registrar } from '@endorse/dynamic-registration/server';
import { createJsonLogger } from '@endorse/interface/node';
import type { Logger } from '@endorse/interface';
import { defineCommand, type Command, type CommandContext } from '../command/command.ts';
import { UsageError } from '../command/usage-error.ts';
import type { MetricsServer } from '../registrar/metrics-server.ts';
import { serveMetrics } from '../registrar/metrics-server.ts';
import { openRegistrarStore, storeOptions } from '../registrar/store-options.ts';
import { readVerificationKeys, tokenKeyOptions } from '../registrar/token-keys.ts';
import { readOptionFile } from './read-file.ts';
import { waitForAbort } from './wait-for-abort.ts';

/** `endorse registrar`: runs a registrar until it is interrupted. */
export const registrarCommand: Command = defineCommand({
  path: ['registrar'],
  summary: 'run a registrar: devices with one firmware register themselves with a token',
  description: [
    'Serves POST /api/register-device over TLS until Ctrl-C. A device that shows a good token and its manufacturer id becomes a device of its own, with credentials that work on a broker.',
    'Everything it needs it makes in --data: an SQLite database, a CA (ca.pem is for the devices), the key of the hashes and a key to mint tokens with. With --database-url-env several registrars share a PostgreSQL database.',
    '--compatible speaks as the original template does and takes its tokens and any secret; what is weak is logged. Without TLS it listens on loopback only, and only with --plain-http.',
  ],
  options: {
    port: {
      type: 'integer',
      value: 'N',
      summary: 'port to listen on; 0 lets the system choose',
      minimum: 0,
      maximum: 65_535,
      default: 8443,
    },
    bind: { type: 'string', value: 'ADDR', summary: 'address to listen on', default: '127.0.0.1' },
    hostname: { type: 'strings', value: 'NAME', summary: 'further name for the certificate' },
    'public-url': {
      type: 'string',
      value: 'URL',
      summary: 'address devices register at, which tokens must be for; default that of this machine',
    },
    'plain-http': {
      type: 'boolean',
      summary: 'serve without TLS, on loopback only: tokens and secrets in the clear',
    },
    ...storeOptions,
    ...tokenKeyOptions,
    jwks: {
      type: 'string',
      value: 'FILE',
      summary: 'JWK set with keys of tokens, instead of the key in --data',
    },
    broker: { type: 'string', value: 'URL', summary: 'broker that replies name' },
    'normalize-ids': {
      type: 'string',
      value: 'HOW',
      summary: 'how manufacturer ids are compared',
      choices: ['exact', 'case-insensitive', 'mac-address'],
      default: 'exact',
    },
    'allowed-ids': {
      type: 'string',
      value: 'FILE',
      summary: 'file of the manufacturer ids that may register, one a line',
    },
    'require-tpm': { type: 'boolean', summary: 'demand a TPM of every device' },
    'require-proof': {
      type: 'boolean',
      summary: 'demand a proof of every device, so that none can lose its reply',
    },
    'metrics-port': {
      type: 'integer',
      value: 'N',
      summary: 'serve counters for Prometheus on this port of loopback; 0 lets the system choose',
      minimum: 0,
      maximum: 65_535,
    },
    compatible: { type: 'boolean', summary: 'speak as the original template does' },
  },
  examples: [
    { line: 'endorse registrar', says: 'everything by itself, on port 8443 of this machine' },
    {
      line: 'endorse registrar --bind 0.0.0.0 --hostname register.example.com --public-url https://register.example.com:8443/api/register-device',
      says: 'for devices elsewhere',
    },
    {
      line: 'JWT_SECRET=… endorse registrar --compatible --issuer example.com --token-secret-env JWT_SECRET',
      says: 'in place of the original',
    },
  ],
  exitCodes: { 130: 'interrupted: the ordinary end' },
  async run(values, context) {
    const keys = await readVerificationKeys(values, context.env);
    const allowed = values['allowed-ids'];
    const allowedIds = allowed === undefined ? undefined : readIds(allowed);
    const publicUrl = values['public-url'];
    if (publicUrl !== undefined && !URL.canParse(publicUrl)) throw new UsageError('--public-url is no URL');
    const server = await import('@endorse/dynamic-registration/server');
    const store = await openRegistrarStore(values, context.env);
    const metrics = server.createMetrics();
    let metricsServer: MetricsServer | undefined;
    try {
      const metricsPort = values['metrics-port'];
      if (metricsPort !== undefined) metricsServer = await serveMetrics(metrics, metricsPort);
      const certificate = values['plain-http'] ? undefined : await issueCertificate(values);
      let url = publicUrl ?? '';
      const handler = server.createRegistrationHandler({
        store,
        keys,
        // The port may be known only once it listens, and with it what tokens are for.
        audience: () => [url],
        compatible: values.compatible,
        normalizeId: readNormalizer(values['normalize-ids']),
        requireTpm: values['require-tpm'],
        requireProof: values['require-proof'],
        logger: logTo(context),
        metrics,
        ...(allowedIds === undefined ? {} : { allowedIds }),
        ...(values.broker === undefined ? {} : { broker: values.broker }),
      });
      const registrar = await server.startRegistrar({
        handler,
        bind: values.bind,
        port: values.port,
        allowPlainHttp: values['plain-http'],
        ...(certificate === undefined ? {} : { certificate }),
      });
      try {
        url = publicUrl ?? `${registrar.origin}/api/register-device`;
        announce(
          url,
          registrar,
          { caFile: certificate?.caFile, metricsUrl: metricsServer?.url },
          values,
          context,
        );
        await waitForAbort(context.signal);
      } finally {
        await registrar.stop();
      }
    } finally {
      await metricsServer?.close();
      await store.close();
    }
    throw context.signal.reason;
  },
});

async function issueCertificate(values: {
  readonly data: string;
  readonly hostname: readonly string[];
}): Promise<IssuedServerCertificate> {
  const { issueServerCertificate } = await import('@endorse/dynamic-registration/server');
  const names = new Set(['localhost', '127.0.0.1', '::1', ...values.hostname]);
  return issueServerCertificate(values.data, [...names], Date.now());
}

interface Announced {
  readonly data: string;
  readonly compatible: boolean;
  readonly issuer: string;
  readonly 'token-secret-env': string | undefined;
  readonly jwks: string | undefined;
}

function announce(
  url: string,
  registrar: Registrar,
  { caFile, metricsUrl }: { readonly caFile: string | undefined; readonly metricsUrl: string | undefined },
  values: Announced,
  { output }: CommandContext,
): void {
  const { data, compatible, issuer } = values;
  output.event({
    event: 'ready',
    url,
    origin: registrar.origin,
    caFile: caFile ?? null,
    metricsUrl: metricsUrl ?? null,
    data,
    issuer,
    compatible,
  });
  const row = (name: string, value: string): void =>
    output.result(`${output.style('dim', name.padEnd(12))} ${value}`);
  output.result(output.style('green', 'The registrar is ready. Ctrl-C ends it.'));
  row('devices at', url);
  row('CA file', caFile ?? 'none: no TLS');
  row('issuer', issuer);
  if (metricsUrl !== undefined) row('metrics', metricsUrl);
  row('mode', compatible ? 'compatible with the original template' : 'strict');
  output.result('');
  const signer =
    values['token-secret-env'] === undefined
      ? `--data ${data}`
      : `--token-secret-env ${values['token-secret-env']}`;
  const key = values.jwks === undefined ? signer : '--key FILE';
  output.result(output.style('dim', 'Make a token for the devices with:'));
  output.result(
    `  endorse token mint --url ${url} --issuer ${issuer} ${key}${compatible ? ' --compatible' : ''}`,
  );
}

/** What happens, as lines on standard error, or as events with `--json`. */
function logTo({ output }: CommandContext): Logger {
  if (output.json) {
    return { log: (level, event, fields = {}) => output.event({ event, level, ...fields }) };
  }
  return createJsonLogger({ write: (line) => output.progress(line.trimEnd()) });
}

function readIds(file: string): ReadonlySet<string> {
  const lines = readOptionFile('allowed-ids', file).split('\n');
  return new Set(lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#')));
}

function readNormalizer(text: string): 'exact' | 'case-insensitive' | 'mac-address' {
  if (text === 'exact' || text === 'case-insensitive' || text === 'mac-address') return text;
  throw new UsageError('--normalize-ids must be exact, case-insensitive or mac-address');
}
