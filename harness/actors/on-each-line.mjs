/**
 * The loop of a client under measurement: one registration for every line on standard input, answered with a line that
 * says what it took. The end of the input ends it.
 */
import { createInterface } from 'node:readline';

export async function registerOnEachLine(register) {
  for await (const _line of createInterface({ input: process.stdin })) {
    const cpuBefore = process.cpuUsage();
    const startedAt = performance.now();
    const { status, deviceId, assignedHub } = await register();
    const wallMs = performance.now() - startedAt;
    const { user, system } = process.cpuUsage(cpuBefore);
    console.log(JSON.stringify({ status, deviceId, assignedHub, wallMs, cpuMs: (user + system) / 1000 }));
  }
}
