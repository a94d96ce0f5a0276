import { collectDevices } from '@endorse/discovery';

const summary = await collectDevices({ ipv6: true, expectedCount: 2, windowMs: 60_000 });
console.log(JSON.stringify(summary));
