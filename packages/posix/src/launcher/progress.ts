/** How far a launcher has come, from what it reports: the same for callers on the event loop and callers that block it. */
import { unlinkSync } from 'node:fs';
import { execError, planBytes, startError, type CommandStartError, type ExitStatus } from '@vircommand/core/backend';
import { errno, systemError } from '../errno';
import type { Libc } from '../libc';
import { closeBound } from '../thread-bound';
import type { BegunLauncher } from './client';
import { errorOf, ReportReader, type Baseline, type Report } from './protocol';

const goOn = Buffer.from('1');
/** Node comes up in a fraction of a second, or never. In milliseconds. */
export const longestSilence = 30_000;
/** Only the kernel keeps a launcher alive after SIGKILL; we wait for it no longer than this, in milliseconds. */
export const longestLauncherDeath = 1000;

export class Progress {
  /** Of the process that becomes the program; `undefined`: it has not said a word yet. */
  pid: number | undefined;
  held = false;
  /** Set by the report that is sent directly before exec. */
  private baseline: Baseline | undefined;
  failure: CommandStartError | undefined;
  private readonly reader = new ReportReader();
  private goOpen = true;

  constructor(
    private readonly begun: BegunLauncher,
    private readonly libc: Libc,
  ) {}

  /** Set: it is the program, unless it is ended in the middle of exec. */
  get executed(): Baseline | undefined {
    return this.failure === undefined ? this.baseline : undefined;
  }

  take(chunk: Uint8Array): void {
    for (const report of this.reader.take(chunk)) this.note(report);
  }

  private note(report: Report): void {
    switch (report.type) {
      case 'begun':
        this.pid = report.pid;
        break;
      case 'held':
        this.held = true;
        break;
      case 'exec':
        this.baseline = report.baseline;
        break;
      case 'failed':
        this.fail(errorOf(report), report.pidFile);
        break;
      case 'unexecuted': {
        const { program } = this.begun;
        this.fail(execError(systemError(report.errno, 'execve', planBytes(program).toString()), program), true);
      }
    }
  }

  /**
   * The launcher waits, unless nobody lets it go on any more, and has the lock of its pid file: nobody else can have made
   * another one of that name.
   */
  private fail(error: CommandStartError, locked: boolean): void {
    this.failure = error;
    const { pidFile } = this.begun;
    try {
      if (locked && this.goOpen && pidFile !== undefined) unlinkSync(pidFile);
    } catch {
      // It may be gone; if not, it is stale, and the next start takes it over.
    }
    this.tellGo();
    this.closeGo();
  }

  /** Lets the launcher go on; whether it was still there. */
  tellGo(): boolean {
    return this.goOpen && this.libc.write(this.begun.go, goOn, 1) === 1;
  }

  closeGo(): void {
    if (this.goOpen) closeBound(this.libc, this.begun.go);
    this.goOpen = false;
  }
}

/** @param status of the launcher, or of the shell that started a daemon's */
export function diedBeforeExec({ exitCode, signal }: ExitStatus): CommandStartError {
  const how = signal !== undefined ? `ended by ${signal}` : `exit code ${exitCode ?? 'unknown'}`;
  return startError('launcher', `the launcher ended before the program was executed (${how})`);
}

/** Where Node gets some of its threads, and not all, it waits for the others for ever. */
export function saidNothing(): CommandStartError {
  const why =
    'the launcher does not come up: likely the limit of processes lets Node have too few threads, RLIMIT_NPROC';
  return startError('fork', systemError(errno.EAGAIN, 'clone', undefined, why));
}

/** What the program itself used: what its process had used before exec was the launcher's. */
export function withoutLauncher(status: ExitStatus, baseline: Baseline): ExitStatus {
  const { usage } = status;
  if (usage === undefined) return status;
  const { maxRssKiB } = usage;
  return {
    ...status,
    usage: {
      userMs: Math.max(0, usage.userMs - baseline.userMs),
      systemMs: Math.max(0, usage.systemMs - baseline.systemMs),
      maxRssKiB: maxRssKiB !== undefined && maxRssKiB > baseline.maxRssKiB ? maxRssKiB : undefined,
      voluntaryContextSwitches: less(usage.voluntaryContextSwitches, baseline.voluntaryContextSwitches),
      involuntaryContextSwitches: less(usage.involuntaryContextSwitches, baseline.involuntaryContextSwitches),
    },
  };
}

const less = (count: number | undefined, before: number): number | undefined => count && Math.max(0, count - before);
