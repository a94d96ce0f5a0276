/** The attestation suite in containers, our image built first. */
import { attestationSuite } from './attestation-suite.ts';

attestationSuite('a container', { runtime: 'container', timeoutMs: 120_000 });
