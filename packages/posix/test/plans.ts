/** Plans to start, and what a started program looks like from outside: `/proc` tells, so that no helper has to. */
import { CommandStartError } from '@vircommand/core';
import type { LaunchPlan } from '@vircommand/core/backend';
import { expect } from 'chai';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Libc } from '../src/libc';
import { LINUX } from '../src/linux';
import { startProcess, type StartedProcess } from '../src/spawn';

const empty: LaunchPlan = {
  contract: 1,
  requires: [],
  program: '/bin/sleep',
  argv: ['sleep', '1000'],
  env: 'inherit',
  cwd: undefined,
  stdin: { type: 'null' },
  stdout: { type: 'null' },
  stderr: { type: 'null' },
  passFds: [],
  sendBuffers: [],
  group: 'auto',
  privileged: {},
  pidFile: undefined,
  daemon: false,
  handshake: false,
  preExecHook: undefined,
  killOnParentExit: false,
  secret: { argv: [], env: [] },
  text: 'sleep 1000',
};

/** A program that stays until it is killed, unless the plan says otherwise. */
export const planOf = (part: Partial<LaunchPlan> = {}): LaunchPlan => ({ ...empty, ...part });

export const sh = (script: string, part: Partial<LaunchPlan> = {}): LaunchPlan =>
  planOf({ program: '/bin/sh', argv: ['sh', '-c', script], ...part });

const fields = (pid: number): string[] => {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
};

/** What `/proc` shows of a program that has come to rest. */
export interface Seen {
  /** Descriptors and what they lead to. */
  readonly fds: Readonly<Record<string, string>>;
  readonly ignored: bigint;
  readonly blocked: bigint;
  readonly caught: bigint;
  readonly group: number;
  readonly session: number;
  readonly cwd: string;
  readonly argv: Buffer;
  readonly env: Buffer;
}

export function look(pid: number): Seen {
  // While it is loaded it has files open and never sleeps.
  while (fields(pid)[0] !== 'S');
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const mask = (name: string): bigint =>
    BigInt('0x' + (new RegExp(`^${name}:\\s*(\\w+)`, 'm').exec(status)?.[1] ?? ''));
  const names = readdirSync(`/proc/${pid}/fd`);
  return {
    fds: Object.fromEntries(names.map((fd) => [fd, readlinkSync(`/proc/${pid}/fd/${fd}`)])),
    ignored: mask('SigIgn'),
    blocked: mask('SigBlk'),
    caught: mask('SigCgt'),
    group: Number(fields(pid)[2]),
    session: Number(fields(pid)[3]),
    cwd: readlinkSync(`/proc/${pid}/cwd`),
    argv: readFileSync(`/proc/${pid}/cmdline`),
    env: readFileSync(`/proc/${pid}/environ`),
  };
}

/** Ends a program and what belongs to it; its raw wait status. */
export function finish(started: StartedProcess, libc: Libc, kill = true): number {
  const { pid, parentEnds } = started;
  if (kill) libc.kill(pid, 9);
  const status = Buffer.alloc(4);
  libc.wait4(pid, status, 0, null);
  const { stdin, stdout, stderr, sendBuffers } = parentEnds;
  for (const fd of [stdin, stdout, stderr, ...sendBuffers]) if (fd !== undefined) libc.close(fd);
  return status.readInt32LE(0);
}

/** What a start fails with; nothing must be left behind. */
export function failure(plan: LaunchPlan, libc: Libc): { stage: string; code: string; path: string | undefined } {
  const before = openFds();
  try {
    finish(startProcess(plan, libc), libc);
  } catch (error) {
    expect(openFds(), 'descriptors after a failed start').to.deep.equal(before);
    if (!(error instanceof CommandStartError)) throw error;
    return { stage: error.stage, code: error.code, path: error.path };
  }
  throw new Error('it started');
}

/** Starts, looks, ends. */
export function observe(plan: LaunchPlan, libc: Libc): Seen {
  const started = startProcess(plan, libc);
  try {
    return look(started.pid);
  } finally {
    finish(started, libc);
  }
}

/** Runs to the end a program whose output fits a pipe. */
export function capture(plan: LaunchPlan, libc: Libc): { status: number; stdout: string } {
  const started = startProcess({ ...plan, stdout: { type: 'pipe' } }, libc);
  const fd = started.parentEnds.stdout ?? -1;
  const status = Buffer.alloc(4);
  libc.wait4(started.pid, status, 0, null);
  const bytes = Buffer.alloc(65536);
  const length = libc.read(fd, bytes, bytes.length);
  libc.close(fd);
  return { status: status.readInt32LE(0), stdout: bytes.toString('utf8', 0, Math.max(length, 0)) };
}

/** The open descriptors of this process. */
export function openFds(): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => {
      try {
        // The one that the listing itself was.
        readlinkSync(`/proc/self/fd/${fd}`);
        return true;
      } catch {
        return false;
      }
    })
    .sort((a, b) => a - b);
}

const F_DUPFD = 0;

/** A descriptor without close-on-exec, as native code of others opens them; at least `lowest`. */
export function inheritable(libc: Libc, path: string, lowest = 3): number {
  const fd = libc.openat(LINUX.AT_FDCWD, Buffer.from(path + '\0'), 0, 0);
  const moved = libc.fcntl(fd, F_DUPFD, lowest);
  libc.close(fd);
  return moved;
}
