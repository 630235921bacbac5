/** A program in front: its signals, its streams where we are between, the live line, and its end as ours. */
import { CommandFailedError, type CommandResult, type RunningCommand, type RunOptions } from '@vircommand/core';
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

/** Milliseconds for output that is on its way when a program was ended before its time. */
const patience = 1000;

interface End {
  readonly result: CommandResult;
  /** We got SIGINT, and so did the program. */
  readonly interrupted: boolean;
}

const nextTurns = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

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
    const outputs = copies?.outputs ?? [];
    live = liveLine(job, outputs, grown, surroundings);
    const copied = Promise.all(outputs.map(({ done }) => done));
    let result: CommandResult;
    try {
      result = await running.wait();
      await copied;
    } catch (error) {
      // It was ended: a reader that does not read must not hold us up as well.
      await Promise.race([copied, new Promise((resolve) => setTimeout(resolve, patience))]);
      if (!outputs.some((copy) => copy.exceeded)) throw error;
      throw new CliError(`the program wrote more than ${job.outputLimit ?? 0} bytes: ${job.command.toString()}`);
    }
    // Of Ctrl-C the program may have died before we were told of our own.
    if (result.signal === 'SIGINT' && !forwarding.seen.has('SIGINT')) await nextTurns();
    return { result, interrupted: forwarding.seen.has('SIGINT') };
  } finally {
    live?.[Symbol.dispose]();
    copies?.[Symbol.dispose]();
    forwarding[Symbol.dispose]();
  }
}

/**
 * A shell stops its loop when a program was ended by Ctrl-C, and goes on when it merely exits with 130: so we end as the
 * program did. For other signals the status says enough, and our own death would say that it was us who crashed.
 */
async function endAsInterrupted(): Promise<void> {
  process.kill(process.pid, 'SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 1000));
}

/** @returns the exit status. @throws as the run does, when it was not an end of the program's own. */
export async function inFront(
  job: Job,
  options: RunOptions,
  surroundings: Surroundings,
  backend: string,
): Promise<number> {
  const report = (result: CommandResult): void => {
    if (job.stats === true) surroundings.stderr.write(statsText(result, backend));
  };
  try {
    const { result, interrupted } = await runToEnd(job, options, surroundings);
    report(result);
    if (interrupted && result.signal === 'SIGINT') await endAsInterrupted();
    return statusOf(result);
  } catch (error) {
    if (error instanceof CommandFailedError) report(error.result);
    throw error;
  }
}
