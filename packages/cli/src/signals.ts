/**
 * Signals that reach us are meant for the program, and it gets each of them once.
 *
 * In a process group of its own it gets nothing but what is handed on. At a terminal it is in our group, so that Ctrl-C
 * reaches it from the kernel: to hand that on would be one too many, and a signal that only we got must be handed on. The
 * system does not say who sent what. But a program that does not handle the signal is ended by the first one, and a second
 * does nothing to it; and one that does handle it has got those that terminals send.
 */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { RunningCommand, SignalName } from '@vircommand/core';
import { longestTimer, readEntry } from '@vircommand/core/backend';

/** All that have a default which ends us. SIGPIPE is not handed on: the reader of our output is no business of the program. */
const ending = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
/** A program that is stopped is continued after these, as timeout(1) does it: it would sleep through them. */
const continued: ReadonlySet<string> = new Set<SignalName>(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']);
/** A terminal sends these to the whole group in front. */
const fromTerminal: ReadonlySet<string> = new Set<SignalName>(['SIGINT', 'SIGQUIT', 'SIGTSTP', 'SIGWINCH']);

/** Whether the kernel sends both of us what it sends to the group. */
function sharesGroup(pid: number): boolean {
  const ours = readEntry(process.pid);
  return ours !== undefined && readEntry(pid)?.group === ours.group;
}

/** Whether the program handles, ignores or blocks a signal; `true` where nobody knows. */
function cares(pid: number, name: SignalName): boolean {
  const number = (constants.signals as Readonly<Record<string, number>>)[name] ?? 0;
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const masks = Array.from(status.matchAll(/^Sig(?:Blk|Ign|Cgt):\s*([0-9a-f]+)/gm), ([, hex]) =>
      BigInt(`0x${hex ?? '0'}`),
    );
    return masks.length === 0 || masks.some((mask) => ((mask >> BigInt(number - 1)) & 1n) === 1n);
  } catch {
    return true;
  }
}

/** `true` where nobody knows. One that runs gets no signal that nobody sent, which would be in its recording, too. */
function isStopped({ pid }: RunningCommand): boolean {
  if (process.platform === 'win32' || pid === undefined) return false;
  const { state = 'T' } = readEntry(pid) ?? {};
  return state === 'T';
}

function send(running: RunningCommand, name: SignalName): void {
  running.kill(name);
  if (continued.has(name) && isStopped(running)) running.kill('SIGCONT');
}

/** Hands signals on to a program, from before its start until its end. */
export class Forwarding {
  private running: RunningCommand | undefined;
  private shared = false;
  private readonly early: SignalName[] = [];
  private readonly handlers = new Map<SignalName, () => void>();
  private waiting: NodeJS.Timeout | undefined;
  /** Those that came, whoever got them. */
  readonly seen = new Set<SignalName>();

  constructor() {
    for (const name of ending) {
      this.on(name, () => {
        this.forward(name);
      });
    }
  }

  private on(name: SignalName, handler: () => void): void {
    const noticed = (): void => {
      this.seen.add(name);
      handler();
    };
    this.handlers.set(name, noticed);
    process.on(name as NodeJS.Signals, noticed);
  }

  /** The program runs. What came before is for it. */
  attach(running: RunningCommand): void {
    this.running = running;
    this.shared = running.pid !== undefined && sharesGroup(running.pid);
    if (!this.shared) this.forwardJobControl();
    // A sender of signals takes its time. A replay sees none, and gives up if it sees no timer either.
    if (running.pid === undefined) this.waiting = setInterval(() => undefined, longestTimer);
    for (const name of this.early.splice(0)) send(running, name);
  }

  /** In a group of its own it is stopped and continued with us. In ours the kernel does that. */
  private forwardJobControl(): void {
    if (process.platform === 'win32') return;
    this.on('SIGWINCH', () => {
      this.forward('SIGWINCH');
    });
    this.on('SIGCONT', () => {
      this.forward('SIGCONT');
    });
    this.on('SIGTSTP', () => {
      this.forward('SIGTSTP');
      process.kill(process.pid, 'SIGSTOP');
    });
  }

  private forward(name: SignalName): void {
    const { running } = this;
    if (running === undefined) {
      this.early.push(name);
      return;
    }
    const gotIt = this.shared && fromTerminal.has(name) && (running.pid === undefined || cares(running.pid, name));
    if (!gotIt) send(running, name);
  }

  /** Signals do again what they did before. */
  [Symbol.dispose](): void {
    for (const [name, handler] of this.handlers) process.removeListener(name, handler);
    this.handlers.clear();
    clearInterval(this.waiting);
  }
}
