/** A program in front: its signals, its streams where we are between, the live line, and its end as ours. */
import {
  CommandFailedError,
  CommandTimeoutError,
  type CommandResult,
  type RunningCommand,
  type RunOptions,
} from '@vircommand/core';
import { realTime, systemClock } from '@vircommand/core/backend';
import type { Copies } from './between';
import { CliError, statusOf } from './exit-status';
import type { Job } from './job';
import { loadBetween } from './later';
import { growthOf, showLive, wantsLive } from './live-line';
import { Forwarding } from './signals';
import { statsText } from './stats';
import type { Surroundings } from './subcommand';

/** Only what copies needs streams, and these take longer to load than a program to start. */
function copiesOf(running: RunningCommand, limit: number | undefined): Copies | undefined {
  const { stdin, stdout, stderr } = running;
  if ([stdin, stdout, stderr].every((stream) => stream === undefined)) return undefined;
  return loadBetween().copyAll(running, limit);
}

/** How much was written, where that can be seen: by us, or in the file that our stdout is. */
function liveLine(
  job: Job,
  outputs: Copies['outputs'],
  grown: (() => number) | undefined,
  surroundings: Surroundings,
): Disposable | undefined {
  if (!wantsLive(job, surroundings)) return undefined;
  const copied = (): number => outputs.reduce((sum, { bytes }) => sum + bytes, 0);
  const bytes = outputs.length > 0 ? copied : job.files.stdout === undefined ? grown : undefined;
  return showLive(surroundings.stderr, bytes);
}

/** Milliseconds for output that is on its way when a program has ended. */
const patience = 1000;

/** Whether it is over before so many milliseconds are; without a number it is waited for. */
async function within(ms: number | undefined, promise: Promise<unknown>): Promise<boolean> {
  if (ms === undefined) return promise.then(() => true);
  let cancel = (): void => undefined;
  const late = new Promise<boolean>((resolve) => {
    cancel = systemClock.after(ms, () => {
      resolve(false);
    });
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    cancel();
  }
}

/**
 * The result of a program whose output goes through us, when that is copied. What came from the program can hold it for
 * long after the program's own end, so the deadline is for that too: to leave something out in silence would be worse.
 */
async function resultOf(job: Job, running: RunningCommand, copies: Copies): Promise<CommandResult> {
  const { timeout } = job.options;
  const bound = await running.wait().then(
    ({ durationMs }) => (timeout === undefined ? undefined : Math.max(timeout - durationMs, patience)),
    // It was ended: a reader that does not read must not hold us up as well.
    () => patience,
  );
  const inTime = await within(bound, Promise.race([copies.done, copies.exceeded]));
  if (copies.outputs.some(({ exceeded }) => exceeded)) {
    await within(patience, copies.done);
    throw new CliError(`the program wrote more than ${job.outputLimit ?? 0} bytes: ${job.command.toString()}`);
  }
  const failed = copies.outputs.find(({ failure }) => failure !== undefined);
  if (failed !== undefined) throw failed.failure;
  const result = await running.wait();
  if (inTime || timeout === undefined) return result;
  const details = { command: result.command, result: { ...result, timedOut: true }, stderrTail: '' };
  throw new CommandTimeoutError(timeout, details);
}

interface End {
  readonly result: CommandResult;
  /** We got SIGINT, and so did the program. */
  readonly interrupted: boolean;
}

async function runToEnd(job: Job, options: RunOptions, surroundings: Surroundings): Promise<End> {
  const forwarding = new Forwarding();
  // From before the start: the first output may be the most of it.
  const grown = wantsLive(job, surroundings) ? growthOf(1) : undefined;
  let live: Disposable | undefined;
  let copies: Copies | undefined;
  try {
    const running = await job.command.rawStatus().runAsync(options);
    forwarding.attach(running);
    copies = copiesOf(running, job.outputLimit);
    live = liveLine(job, copies?.outputs ?? [], grown, surroundings);
    const result = await (copies === undefined ? running.wait() : resultOf(job, running, copies));
    // Of Ctrl-C the program may have died before we were told of our own.
    if (result.signal === 'SIGINT' && !forwarding.seen.has('SIGINT')) {
      await new Promise<void>(realTime.afterTwoTurns);
    }
    return { result, interrupted: forwarding.seen.has('SIGINT') };
  } finally {
    live?.[Symbol.dispose]();
    copies?.[Symbol.dispose]();
    forwarding[Symbol.dispose]();
  }
}

/**
 * A shell stops its loop when a program was ended by Ctrl-C, and goes on when it merely exits with 130: so we end as the
 * program did. For other signals the status says enough, and our own death would say that we crashed.
 */
async function endAsInterrupted(): Promise<void> {
  process.kill(process.pid, 'SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 1000));
}

/**
 * @param over What is to be done when the run is over, however it ended; after this there may be nobody to do it.
 * @returns the exit status. @throws as the run does, when it was not an end of the program's own.
 */
export async function inFront(
  job: Job,
  options: RunOptions,
  surroundings: Surroundings,
  backend: string,
  over?: () => Promise<void>,
): Promise<number> {
  const report = (result: CommandResult): void => {
    if (job.stats === true) surroundings.stderr.write(statsText(result, backend));
  };
  try {
    const { result, interrupted } = await runToEnd(job, options, surroundings).finally(over);
    report(result);
    if (interrupted && result.signal === 'SIGINT') await endAsInterrupted();
    return statusOf(result);
  } catch (error) {
    if (error instanceof CommandFailedError) report(error.result);
    throw error;
  }
}
