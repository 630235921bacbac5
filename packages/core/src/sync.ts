/** `runSync()`: the bounds go to the backend as data, since core cannot run meanwhile. */
import { tailSize } from './capture';
import type { Backend, SyncOutcome } from './contract';
import type { CommandError } from './errors';
import { logError, logExit, logStart } from './log';
import { judge, type Cause } from './outcome';
import type { Launch } from './plan';
import { keptAtMost, longestBytes, longestText, type RunSettings } from './run-options';
import { beginStackAt, type Site } from './site';
import { startFailure } from './start-failure';
import { clockOf } from './clock';
import type { CommandResult } from './types';

/** What a backend captured, as a Buffer. */
function captured(bytes: Uint8Array | undefined): Buffer | undefined {
  if (bytes === undefined || Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A backend that kept more than a result can hold would make a foreign RangeError of it. */
function holdable(outcome: SyncOutcome, launch: Launch): SyncOutcome {
  for (const name of ['stdout', 'stderr'] as const) {
    const bytes = outcome[name];
    const most = launch[name] === 'text' ? longestText : longestBytes;
    if (bytes === undefined || bytes.byteLength <= most) continue;
    return {
      ...outcome,
      [name]: bytes.subarray(0, most),
      ending: 'output-limit',
      exceeded: name,
      outputComplete: false,
      incomplete: outcome.outputComplete ? name : undefined,
    };
  }
  return outcome;
}

/** Runs and waits; the error of the run is thrown, from `site`. */
export function runAndWait(launch: Launch, settings: RunSettings, backend: Backend, site: () => Site): CommandResult {
  const clock = clockOf(backend);
  const begun = clock.now();
  const { plan } = launch;
  const { limit } = settings;
  const most = (name: 'stdout' | 'stderr'): number =>
    keptAtMost(settings, name, launch[name] === 'bytes' ? 'bytes' : 'text');
  const limits = { stdout: most('stdout'), stderr: most('stderr'), total: limit?.total ?? Infinity };
  const fail = (error: CommandError): never => {
    beginStackAt(error, site());
    logError({ command: plan.text, backend: backend.name, error });
    throw error;
  };
  let outcome;
  try {
    outcome = backend.startAndWaitSync?.(plan, {
      input: launch.input?.data,
      sendBuffers: launch.sendBuffers.map(({ data }) => data),
      timeout: settings.timeout,
      killDelay: settings.killDelay,
      drainDelay: settings.drainDelay,
      limit: { ...limits, onExceed: limit?.onExceed ?? 'kill' },
      stderrTail: launch.stderr === 'tail' ? tailSize : undefined,
    });
  } catch (error) {
    return fail(startFailure(error, plan.text, backend.name));
  }
  if (outcome === undefined)
    return fail(startFailure('declares sync and has no startAndWaitSync()', plan.text, backend.name));
  outcome = holdable(outcome, launch);
  const start = { command: plan.text, backend: backend.name, pid: outcome.pid };
  logStart(start);
  let cause: Cause | undefined;
  if (outcome.ending === 'timeout') cause = { kind: 'timeout' };
  if (outcome.ending === 'output-limit') {
    const stream = outcome.exceeded ?? 'total';
    cause = { kind: 'limit', stream, limit: limits[stream] };
  }
  const { outputComplete, incomplete } = outcome;
  const { result, error } = judge(
    {
      launch,
      backend: backend.name,
      pid: outcome.pid,
      status: outcome,
      cause,
      stdout: { bytes: captured(outcome.stdout), complete: outputComplete || incomplete === 'stderr' },
      stderr: { bytes: captured(outcome.stderr), complete: outputComplete || incomplete === 'stdout' },
      ended: outcome.ended,
      durationMs: clock.now() - begun,
    },
    settings,
  );
  logExit(start, result);
  return error === undefined ? result : fail(error);
}
