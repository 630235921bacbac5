/** A program in front: its signals, its streams where we are between, the live line, and its end as ours. */
import { CommandFailedError, type CommandResult, type RunningCommand, type RunOptions } from '@vircommand/core';
import { copyIn } from './copy-in';
import { copyOut, type Copy } from './copy-out';
import { CliError, statusOf } from './exit-status';
import type { Job } from './job';
import { growthOf, showLive } from './live-line';
import { Forwarding } from './signals';
import { statsText } from './stats';
import type { Surroundings } from './subcommand';

/** Hands the output through and ends the program when it writes too much. */
function copyAll(running: RunningCommand, limit: number | undefined): readonly Copy[] {
  const exceeded = (): void => void running.abort();
  return [running.stdout, running.stderr].flatMap((stream, index) =>
    stream === undefined ? [] : [copyOut(stream, index + 1, { limit, exceeded })],
  );
}

function liveLine(
  job: Job,
  copies: readonly Copy[],
  grown: (() => number) | undefined,
  { stdout, stderr }: Surroundings,
): Disposable | undefined {
  // Where the program writes to the terminal itself it would be in the way.
  const wanted = job.live ?? (stderr.isTerminal && !(job.files.stdout === undefined && stdout.isTerminal));
  if (!wanted || !stderr.isTerminal) return undefined;
  const copied = (): number => copies.reduce((sum, { bytes }) => sum + bytes, 0);
  return showLive(stderr, copies.length > 0 ? copied : job.files.stdout === undefined ? grown : undefined);
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
  const grown = surroundings.stderr.isTerminal ? growthOf(1) : undefined;
  let live: Disposable | undefined;
  let input: Disposable | undefined;
  try {
    const running = await job.command.rawStatus().runAsync(options);
    forwarding.attach(running);
    const copies = copyAll(running, job.outputLimit);
    if (running.stdin !== undefined) input = copyIn(0, running.stdin);
    live = liveLine(job, copies, grown, surroundings);
    const copied = Promise.all(copies.map(({ done }) => done));
    let result: CommandResult;
    try {
      result = await running.wait();
      await copied;
    } catch (error) {
      // It was ended: a reader that does not read must not hold us up as well.
      await Promise.race([copied, new Promise((resolve) => setTimeout(resolve, patience))]);
      if (!copies.some((copy) => copy.exceeded)) throw error;
      throw new CliError(`the program wrote more than ${job.outputLimit ?? 0} bytes: ${job.command.toString()}`);
    }
    // Of Ctrl-C the program may have died before we were told of our own.
    if (result.signal === 'SIGINT' && !forwarding.seen.has('SIGINT')) await nextTurns();
    return { result, interrupted: forwarding.seen.has('SIGINT') };
  } finally {
    live?.[Symbol.dispose]();
    input?.[Symbol.dispose]();
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
