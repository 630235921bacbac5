/**
 * Virtual time: it stands still while anything can run, then jumps to the next timer.
 *
 * Core takes its deadlines from here and fake programs their events, so both are on one axis: timers come in the order
 * of their due times, and for the same time in the order in which they were set. Before each of them the event loop
 * turns until nothing has happened for a few turns and no file operation is under way, so everything that the timer
 * before has caused is over, promises, streams and immediates included. Nothing waits for the wall clock.
 */
import { realTime } from '@vircommand/core/backend';
import { pendingFileOperations, watchFileOperations } from './file-operations';
import { TimerQueue } from './timers';
import { Turns, type Timeline } from './timeline';
import { Waiting } from './turning-time';

// Core and Node's streams need at most three turns from a cause to its effect; code under test may need some more.
const quietTurns = 8;
// A file operation is waited for, in milliseconds of real time; one that never ends (a named pipe) not for ever.
const longestFileWait = 2000;
// Who has nothing but real time to wait for (AbortSignal.timeout(), a server) is waited for so long: no longer than most
// runners let a test be.
const longestIdle = 5000;
const idleLook = 50;
// The most that one look counts: while a debugger holds this process, nobody can do anything.
const mostPerLook = 250;

export class VirtualClock implements Timeline {
  private time = 0;
  private readonly timers = new TimerQueue();
  private readonly turns = new Turns();
  private turning = false;
  private quiet = 0;
  /** File operations that were waited for in vain, once for all. */
  private hopeless = 0;
  private readonly fileWait = new Waiting(mostPerLook);
  private readonly idlers = new Set<() => void>();
  private readonly idleWait = new Waiting(mostPerLook);

  constructor() {
    watchFileOperations();
  }

  now(): number {
    return this.time;
  }

  after(ms: number, callback: () => void): () => void {
    this.touch();
    const cancel = this.timers.add(this.time + Math.max(0, ms), callback);
    this.turn();
    return cancel;
  }

  soon(callback: () => void): void {
    this.touch();
    this.turns.add(callback);
  }

  touch(): void {
    this.quiet = 0;
    this.fileWait.reset();
    this.idleWait.reset();
  }

  idle(callback: () => void): () => void {
    this.touch();
    this.idlers.add(callback);
    this.turn();
    return () => {
      this.idlers.delete(callback);
    };
  }

  block(ms: number): void {
    this.touch();
    this.time += ms;
  }

  private turn(): void {
    if (this.turning) return;
    this.turning = true;
    realTime.nextTurn(this.look);
  }

  private readonly look = (): void => {
    if (this.timers.size === 0 && this.idlers.size === 0) {
      this.turning = false;
      return;
    }
    if (++this.quiet < quietTurns) realTime.nextTurn(this.look);
    else if (this.mustWait()) realTime.after(1, this.look);
    else if (this.timers.size === 0) this.lookIdly();
    else {
      this.touch();
      const next = this.timers.take();
      realTime.nextTurn(this.look);
      if (next === undefined) return;
      // After a synchronous run, timers may be overdue: time never goes back.
      this.time = Math.max(this.time, next.due);
      next.callback();
    }
  };

  private lookIdly(): void {
    if (this.idleWait.look() < longestIdle) {
      realTime.after(idleLook, this.look, { ref: false });
      return;
    }
    this.touch();
    const callbacks = Array.from(this.idlers);
    this.idlers.clear();
    realTime.nextTurn(this.look);
    for (const callback of callbacks) callback();
  }

  /** Code under test waits for the file system: then it is not its program that is to go on. */
  private mustWait(): boolean {
    const pending = pendingFileOperations();
    this.hopeless = Math.min(this.hopeless, pending);
    if (pending === this.hopeless) return false;
    if (this.fileWait.look() < longestFileWait) return true;
    this.hopeless = pending;
    return false;
  }
}
