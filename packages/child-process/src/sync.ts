/** A synchronous run with `spawnSync()`: no deadline, no bounded drain; those need a backend that can keep them. */
import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, readSync } from 'node:fs';
import type { LaunchPlan, SyncOutcome, SyncRequest } from '@vircommand/core/backend';
import { OpenFiles } from './files';
import { openSharedFile } from './shared-pipe';
import { spawnOf } from './spawn-options';
import { diagnose } from './start-error';
import { isMerged, stdioOf } from './stdio';

/** What was written to the shared file, up to the limit. */
function readShared(fd: number, limit: number): { bytes: Buffer; exceeded: boolean } {
  const { size } = fstatSync(fd);
  const bytes = Buffer.allocUnsafeSlow(Math.min(size, limit));
  let length = 0;
  while (length < bytes.length) {
    const read = readSync(fd, bytes, length, bytes.length - length, length);
    if (read === 0) break;
    length += read;
  }
  return { bytes: bytes.subarray(0, length), exceeded: size > limit };
}

/** Starts, waits, and says how it went. @throws CommandStartError */
export function startAndWaitSync(plan: LaunchPlan, request: SyncRequest): SyncOutcome {
  const { file, args, options } = spawnOf(plan);
  const files = OpenFiles.needed(plan) ? OpenFiles.openSync(plan) : undefined;
  let shared: number | undefined;
  try {
    shared = isMerged(plan) ? openSharedFile() : undefined;
    const { limit } = request;
    const result = spawnSync(file, args, {
      ...options,
      // Not asked for: stdin is a pipe only where the plan says so.
      ...(plan.stdin.type === 'pipe' ? { input: request.input ?? Buffer.alloc(0) } : {}),
      stdio: stdioOf(plan, files, shared),
      encoding: 'buffer',
      maxBuffer: Math.max(limit.stdout, request.stderrTail === undefined ? limit.stderr : 0),
      killSignal: 'SIGKILL',
    });
    const error: NodeJS.ErrnoException | undefined = result.error;
    const full = error?.code === 'ENOBUFS';
    if (error !== undefined && !full) throw diagnose(error, plan, file);
    const merged = shared === undefined ? undefined : readShared(shared, limit.stdout);
    const stdout = merged?.bytes ?? (plan.stdout.type === 'pipe' ? result.stdout : undefined);
    const stderr = plan.stderr.type === 'pipe' ? result.stderr : undefined;
    const over = {
      stdout:
        merged?.exceeded ??
        (stdout !== undefined && (stdout.length > limit.stdout || (full && stdout.length >= limit.stdout))),
      stderr:
        stderr !== undefined &&
        request.stderrTail === undefined &&
        (stderr.length > limit.stderr || (full && stderr.length >= limit.stderr)),
    };
    const exceeded = over.stdout ? 'stdout' : over.stderr || full ? 'stderr' : undefined;
    return {
      pid: result.pid,
      exitCode: result.status ?? undefined,
      signal: result.signal ?? undefined,
      coreDumped: undefined,
      usage: undefined,
      stdout: stdout?.subarray(0, limit.stdout),
      stderr:
        request.stderrTail === undefined ? stderr?.subarray(0, limit.stderr) : stderr?.subarray(-request.stderrTail),
      ending: exceeded === undefined ? 'exit' : 'output-limit',
      ...(exceeded === undefined ? {} : { exceeded }),
      outputComplete: exceeded === undefined,
      ended: full ? 'process' : 'none',
    };
  } finally {
    files?.close();
    if (shared !== undefined) closeSync(shared);
  }
}
