import { attestationSuite } from '../attestation-suite.ts';

attestationSuite('a process', { runtime: 'process' });
