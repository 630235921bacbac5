/** A synchronous run with `spawnSync()`: no deadline and no bounded drain, which need a backend that can keep them. */
import { spawnSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { CommandStartError } from '@vircommand/core';
import type { ExitStatus, LaunchPlan, SyncOutcome, SyncRequest } from '@vircommand/core/backend';
import { OpenFiles } from './files';
import { checkRoom, loopOfItsOwn } from './room';
import { spawnOf, type Spawn } from './spawn-options';
import { holdStandardNumbers } from './standard-numbers';
import { checkOpen, diagnosisOf } from './start-error';
import { isMerged, stdioOf } from './stdio';
import { hasRoom, openUnnamedFile, readUnnamedFile } from './unnamed-file';

/** What the program wrote to one stream, as far as it was asked for. */
interface Written {
  readonly bytes: Buffer | undefined;
  /** Of all that it wrote. */
  readonly size: number;
}

const nothing: Written = { bytes: undefined, size: 0 };
const whole = (bytes: Buffer): Written => ({ bytes, size: bytes.length });

type Exceeded = NonNullable<SyncOutcome['exceeded']>;

/** Cuts both streams to the limits, exactly; the streams' own limits come before the one for both together. */
function cut(stdout: Written, stderr: Written, { limit, stderrTail }: SyncRequest) {
  let exceeded: Exceeded | undefined;
  let left = limit.total;
  const take = (name: 'stdout' | 'stderr', { bytes, size }: Written): Buffer | undefined => {
    const most = Math.min(limit[name], left);
    if (size > most) exceeded ??= limit[name] <= left ? name : 'total';
    const kept = bytes?.subarray(0, most);
    left -= kept?.length ?? 0;
    return kept;
  };
  const out = take('stdout', stdout);
  const err = stderrTail === undefined ? take('stderr', stderr) : stderr.bytes?.subarray(-stderrTail);
  return { stdout: out, stderr: err, exceeded };
}

/** Node has one limit, for both streams together, and 0 is none. */
function maxBufferOf(plan: LaunchPlan, { limit, stderrTail }: SyncRequest): number {
  if (limit.onExceed === 'truncate') return Infinity;
  const stderr = plan.stderr.type === 'pipe' ? (stderrTail === undefined ? limit.stderr : Infinity) : 0;
  return Math.max(1, Math.min(limit.total, limit.stdout + stderr));
}

/** Node has no names for real-time signals: a program that died of one has neither code nor signal, which is no success. */
const statusOf = (code: number | null, signal: NodeJS.Signals | null): ExitStatus => ({
  exitCode: code ?? undefined,
  signal: signal === null || (signal as string) === '' ? undefined : signal,
  coreDumped: undefined,
  usage: undefined,
});

/** Files in place of pipes: where nothing but a file can be shared, and where the drain must not be awaited. */
interface UnnamedFiles {
  readonly merged: number | undefined;
  readonly tail: number | undefined;
}

function spawnWith(
  plan: LaunchPlan,
  { file, args, options }: Spawn,
  request: SyncRequest,
  files: OpenFiles | undefined,
  unnamed: UnnamedFiles,
) {
  const stdio = stdioOf(plan, files, unnamed.merged);
  if (unnamed.tail !== undefined) stdio[2] = unnamed.tail;
  const input = plan.stdin.type === 'pipe' ? { input: request.input ?? Buffer.alloc(0) } : {};
  const own = { stdio, encoding: 'buffer', maxBuffer: maxBufferOf(plan, request), killSignal: 'SIGKILL' } as const;
  let result;
  try {
    result = spawnSync(file, args, Object.assign(Object.create(null) as object, options, own, input));
  } catch (error) {
    throw diagnosisOf(plan, file)(error as NodeJS.ErrnoException);
  }
  const error: NodeJS.ErrnoException | undefined = result.error;
  // Once it ran, an error is about its pipes: ENOBUFS at the limit, EPIPE if it did not read its stdin, which is none.
  if (error !== undefined && result.pid === 0) throw diagnosisOf(plan, file)(error);
  return { result, full: error?.code === 'ENOBUFS' };
}

/** Starts, waits, and says how it went. @throws CommandStartError */
export function startAndWaitSync(plan: LaunchPlan, request: SyncRequest): SyncOutcome {
  const open: number[] = [];
  const unnamedFile = (needed: boolean): number | undefined => {
    if (!needed) return undefined;
    const fd = openUnnamedFile();
    open.push(fd);
    return fd;
  };
  /** If no file can be made, use a pipe: then the end of the run waits until no process holds the pipe. */
  const fileForTail = (needed: boolean): number | undefined => {
    try {
      return unnamedFile(needed);
    } catch (error) {
      if (error instanceof CommandStartError && (error.code === 'EMFILE' || error.code === 'ENFILE')) throw error;
      return undefined;
    }
  };
  // Before files are opened: what has no program truncates nothing.
  const what = spawnOf(plan);
  let files: OpenFiles | undefined;
  checkOpen(plan);
  const giveBack = holdStandardNumbers();
  try {
    const tail = request.stderrTail !== undefined && plan.stderr.type === 'pipe' && process.platform !== 'win32';
    files = OpenFiles.needed(plan) ? OpenFiles.open(plan) : undefined;
    const unnamed = { merged: unnamedFile(isMerged(plan)), tail: fileForTail(tail) };
    checkRoom(plan, loopOfItsOwn);
    const { result, full } = spawnWith(plan, what, request, files, unnamed);
    const { limit, stderrTail } = request;
    const stdout =
      unnamed.merged !== undefined
        ? readUnnamedFile(unnamed.merged, Math.min(limit.stdout, limit.total), 'first')
        : plan.stdout.type === 'pipe'
          ? whole(result.stdout)
          : nothing;
    const stderr =
      unnamed.tail !== undefined
        ? readUnnamedFile(unnamed.tail, stderrTail ?? 0, 'last')
        : plan.stderr.type === 'pipe'
          ? whole(result.stderr)
          : nothing;
    const kept = cut(stdout, stderr, request);
    const ended = kept.exceeded !== undefined && limit.onExceed === 'kill';
    return {
      ...statusOf(result.status, result.signal),
      pid: result.pid,
      stdout: kept.stdout,
      stderr: kept.stderr,
      ending: ended ? 'output-limit' : 'exit',
      exceeded: ended ? kept.exceeded : undefined,
      outputComplete: kept.exceeded === undefined && (unnamed.merged === undefined || hasRoom(unnamed.merged)),
      ended: full ? 'process' : 'none',
    };
  } finally {
    files?.close();
    for (const fd of open) closeSync(fd);
    giveBack();
  }
}
