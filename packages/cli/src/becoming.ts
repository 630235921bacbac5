/**
 * Whether vircommand can become the program, as env(1) and setpriv(1) do. Where nobody has to look after it, that is the
 * best way to hand on streams, signals, job control and the exit status: there is nothing between.
 */
import type { Backend } from '@vircommand/core';
import { wantsLive } from './live-line';
import type { Job } from './job';
import type { Surroundings } from './subcommand';

/** Somebody stays for these. */
function needsUs(job: Job, surroundings: Surroundings): boolean {
  const { stay, daemon, dieWithParent, outputLimit, stats, hook, options, session } = job;
  return (
    [stay, daemon, dieWithParent, stats, session].includes(true) ||
    outputLimit !== undefined ||
    // It is called in the process that becomes the program, and that has to be a new one.
    hook !== undefined ||
    Object.keys(options).length > 0 ||
    wantsLive(job, surroundings)
  );
}

export const canBecome = (job: Job, backend: Backend, surroundings: Surroundings): boolean =>
  backend.features.includes('exec') && !needsUs(job, surroundings);
