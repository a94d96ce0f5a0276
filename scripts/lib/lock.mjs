/**
 * One set-up at a time in a checkout.
 *
 * The lock is a file made with O_EXCL that its holder touches while it works.
 * It is stale when its process is gone (same host), or when nobody touched it
 * for a while (another host or container that shares the checkout).
 */
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StepError, announce } from './step.mjs';

const touchEveryMs = 2_000;
const staleAfterMs = 30_000;
const pollEveryMs = 200;
/** A cold set-up takes a minute or two; who waits ten times that waits for nothing. */
const giveUpAfterMs = 1_200_000;

/** Runs `work` while holding the lock file at `path`; waits for another holder first. */
export async function withLock(path, work, { giveUpMs = giveUpAfterMs, staleMs = staleAfterMs } = {}) {
  mkdirSync(dirname(path), { recursive: true });
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), token: `${process.pid}-${Date.now()}` });
  await acquire(path, mine, giveUpMs, staleMs);
  const toucher = setInterval(() => touch(path), touchEveryMs);
  const onExit = () => release(path, mine);
  process.once('exit', onExit);
  try {
    return await work();
  } finally {
    clearInterval(toucher);
    process.off('exit', onExit);
    release(path, mine);
  }
}

async function acquire(path, mine, giveUpMs, staleMs) {
  const giveUpAt = Date.now() + giveUpMs;
  let announced = false;
  for (;;) {
    try {
      writeFileSync(path, mine, { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = readHolder(path);
    if (holder !== undefined && isStale(holder, staleMs)) {
      breakLock(path, holder.text);
      continue;
    }
    if (Date.now() >= giveUpAt) {
      throw new StepError(
        'wait for another set-up',
        `${path} is held by process ${holder?.pid ?? 'unknown'}`,
        'wait until it ends, or delete that file if you are sure that none is running',
      );
    }
    if (!announced) announce('another command is setting this checkout up; waiting for it');
    announced = true;
    await delay(pollEveryMs);
  }
}

function readHolder(path) {
  try {
    const text = readFileSync(path, 'utf8');
    const { mtimeMs } = statSync(path);
    // The file is empty for the instant between its creation and its contents.
    const { pid, host } = text === '' ? {} : JSON.parse(text);
    return { text, mtimeMs, pid, host };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    if (error instanceof SyntaxError) return { text: '', mtimeMs: statSync(path).mtimeMs };
    throw error;
  }
}

function isStale({ pid, host, mtimeMs }, staleMs) {
  if (host === hostname() && Number.isInteger(pid) && !isAlive(pid)) return true;
  return Date.now() - mtimeMs > staleMs;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Takes a stale lock away; if a live one slipped into its place meanwhile, puts that back. */
function breakLock(path, staleText) {
  const aside = `${path}.stale-${process.pid}-${Date.now()}`;
  try {
    renameSync(path, aside);
    if (readFileSync(aside, 'utf8') !== staleText) linkSync(aside, path);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
  try {
    unlinkSync(aside);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

function touch(path) {
  try {
    const now = new Date();
    utimesSync(path, now, now);
  } catch {
    // Somebody judged us dead (a suspended laptop): the work itself is idempotent.
  }
}

function release(path, mine) {
  try {
    if (readFileSync(path, 'utf8') === mine) unlinkSync(path);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}
