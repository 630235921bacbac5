/**
 * Turns of the event loop and real milliseconds. Test runners put fakes in the place of the timers, of all of Node's
 * modules of them, perhaps before this package is loaded; fake programs must run all the same.
 */
import * as timers from 'node:timers';
import * as promised from 'node:timers/promises';
import { promisify } from 'node:util';
import { MessageChannel } from 'node:worker_threads';
import { longestTimer, realTime } from '@vircommand/core/backend';

/** Milliseconds, monotonic. Clocks are faked, too; nobody fakes how long the process runs. */
export const realNow = (): number => process.uptime() * 1000;

/** A fake has the promise of another fake, or none. */
const isReal = (name: 'setImmediate' | 'setTimeout'): boolean =>
  Reflect.get(timers[name], promisify.custom) === promised[name];

const { setTimeout, setInterval, clearInterval, setImmediate } = timers;
const { scheduler } = promised;
const fakeTimers = !isReal('setTimeout');

/** Calls back in the next turn of the event loop. */
export const nextTurn: (callback: () => void) => void = isReal('setImmediate')
  ? setImmediate
  : (callback) => void scheduler.yield().then(callback);

/** By then the loop has told of all that had happened before the call; after a busy time it tells of timers first. */
export function afterTwoTurns(callback: () => void): void {
  nextTurn(() => {
    nextTurn(callback);
  });
}

/** Calls back after so many milliseconds; the returned function cancels. */
export const later: (ms: number, callback: () => void) => () => void = realTime.after;

/** As {@link later}, for who only watches: keeps no process alive, and is nothing that anybody waits for. */
export function lookLater(ms: number, callback: () => void): void {
  if (fakeTimers) later(ms, callback);
  else setTimeout(callback, ms).unref();
}

function hold(): () => void {
  if (!fakeTimers) {
    const timer = setInterval(() => undefined, longestTimer);
    return () => {
      clearInterval(timer);
    };
  }
  // Both its ports are kept: one that is collected closes the other.
  const channel = new MessageChannel();
  channel.port1.on('message', () => undefined);
  return () => {
    channel.port1.close();
  };
}

let held = 0;
let letGo: (() => void) | undefined;

/** The event loop goes on until the returned function is called: a running program keeps its parent's. */
export function keepAlive(): () => void {
  if (held++ === 0) letGo = hold();
  let over = false;
  return () => {
    if (over) return;
    over = true;
    if (--held === 0) letGo?.();
  };
}
