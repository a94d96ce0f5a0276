/**
 * Every decoder of bytes, text or JSON is total: a value or the documented error, whatever arrives, in bounded time and
 * space; it leaves its input alone, and where there is a way back, it leads to the same value. Inputs are what real
 * clients, services and TPMs sent, damaged, and noise.
 */
import { createFuzzGroup } from '@endorse/fuzzing';
import { afterAll, test } from 'vitest';
import { discoveryDecoders } from '../../support/fuzz/discovery-decoders.ts';
import { protocolDecoders } from '../../support/fuzz/protocol-decoders.ts';
import { recordStreams } from '../../support/fuzz/emulator-sessions.ts';
import { tokenDecoders } from '../../support/fuzz/token-decoders.ts';
import { recordTpm } from '../../support/fuzz/tpm-recordings.ts';
import { tpm2Decoders } from '../../support/fuzz/tpm2-decoders.ts';

const targets = [
  ...protocolDecoders(await recordStreams()),
  ...tpm2Decoders(await recordTpm()),
  ...discoveryDecoders,
  ...tokenDecoders,
];
const group = createFuzzGroup('decoders', targets);

/** Least number of inputs for each. */
const batchRuns = 100;

test.each(group.targets)('$name', (target) => group.run(target, batchRuns, target.property), group.timeoutMs);

afterAll(() => group.report());
