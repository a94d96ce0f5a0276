/**
 * A registration as a script for pgbench. Nobody has written it: two registrations are made with our own store, and
 * what reached the database is written down. What differs between the two is drawn anew for each transaction.
 */
import { randomBytes } from 'node:crypto';
import { createRegistrationHandler } from '@endorse/dynamic-registration/server';
import type { SqlConnection, SqlDatabase, SqlValue } from '@endorse/dynamic-registration/store';
import { openPostgresql, openStore } from '@endorse/dynamic-registration/store';
import { createSecretTokenKey, mintToken } from '@endorse/dynamic-registration/tokens';
import { Secret } from '@endorse/interface';
import { systemRandom } from '@endorse/interface/node';

/** What pgbench runs. */
export interface PgbenchScript {
  readonly text: string;
  /** Values of its variables that are the same for all transactions. */
  readonly constants: Readonly<Record<string, string>>;
  /** How many the server is sent, BEGIN and COMMIT included. */
  readonly statements: number;
}

interface RecordedStatement {
  readonly text: string;
  readonly parameters: readonly SqlValue[];
}

const audience = 'https://register.example.com/api/register-device';

/** Registers two devices on the database and writes down what that took. */
export async function recordRegistration(databaseUrl: string): Promise<PgbenchScript> {
  let recorded: RecordedStatement[] = [];
  const database = recordInto(await openPostgresql({ url: Secret.fromText(databaseUrl) }), (statement) =>
    recorded.push(statement),
  );
  const secret = Secret.fromBytes(randomBytes(32));
  const key = createSecretTokenKey({ issuer: 'example.com', secret });
  const store = await openStore({ database, peppers: { 1: secret } });
  try {
    const handler = createRegistrationHandler({ store, keys: [key], audience: [audience] });
    const common = { key, url: audience, expiresInMs: 3_600_000, now: Date.now(), random: systemRandom };
    const token = (await mintToken(common)).token.revealText();
    const register = async (): Promise<readonly RecordedStatement[]> => {
      recorded = [];
      const manufacturerId = randomBytes(8).toString('hex');
      const proof = randomBytes(32).toString('base64url');
      const response = await handler(
        new Request(audience, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ token, manufacturerId, proof }),
        }),
      );
      if (response.status !== 200) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
      return recorded;
    };
    // The first one of a token also writes down the token.
    await register();
    return createScript(await register(), await register());
  } finally {
    await store.close();
  }
}

/** The script of which `first` and `second` are two runs. */
export function createScript(
  first: readonly RecordedStatement[],
  second: readonly RecordedStatement[],
): PgbenchScript {
  const constants: Record<string, string> = {};
  const drawn = new Map<string, string>();
  const lines = first.map(({ text, parameters }, index) => {
    if (second[index]?.text !== text) throw new Error('two registrations ran different statements');
    const written = text.replaceAll(/\$(\d+)/g, (_, digits) => {
      const place = Number(digits) - 1;
      const value = parameters[place] ?? null;
      if (value === null) return 'NULL';
      const varies = typeof value === 'string' && second[index]?.parameters[place] !== value;
      if (!varies) {
        const name = `constant_${index}_${place}`;
        constants[name] = String(value);
        return `:${name}`;
      }
      // An id stands in several statements.
      const name = drawn.get(value) ?? `drawn_${drawn.size}`;
      drawn.set(value, name);
      return `:${name}`;
    });
    return `${written.replaceAll(/\s+/g, ' ')};`;
  });
  const draws = [...drawn.values()].map((name) => `\\set ${name} random(1, 9000000000000000000)`);
  return { text: `${[...draws, ...lines].join('\n')}\n`, constants, statements: lines.length };
}

function recordInto(database: SqlDatabase, note: (statement: RecordedStatement) => void): SqlDatabase {
  const recording = (sql: SqlConnection): SqlConnection => ({
    run: (text, parameters = []) => {
      note({ text, parameters });
      return sql.run(text, parameters);
    },
  });
  return {
    ...database,
    ...recording(database),
    transaction: async (work) => {
      note({ text: 'BEGIN', parameters: [] });
      const value = await database.transaction((sql) => work(recording(sql)));
      note({ text: 'COMMIT', parameters: [] });
      return value;
    },
  };
}
