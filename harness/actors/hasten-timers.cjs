'use strict';
/**
 * Preload (`node --require`): timers of the delays in $ENDORSE_HASTENED_MS (comma-separated) fire a hundred times
 * sooner, so that nobody waits for constants that are compiled into a client. Each is printed as a JSON line when it
 * fires, and announced as `hastened-timer` on `process` when it is set. Other timers are left alone.
 */
const { promisify } = require('node:util');

// Split, an empty text would be a delay of 0.
const delaysMs = (process.env.ENDORSE_HASTENED_MS || 'none').split(',').map(Number);
const { setTimeout } = globalThis;

globalThis.setTimeout = function hastenedTimeout(callback, delayMs, ...rest) {
  if (!delaysMs.includes(delayMs)) return setTimeout(callback, delayMs, ...rest);
  process.emit('hastened-timer', delayMs);
  return setTimeout(() => {
    console.log(JSON.stringify({ event: 'timer', delayMs }));
    callback(...rest);
  }, delayMs / 100);
};
globalThis.setTimeout[promisify.custom] = setTimeout[promisify.custom];
