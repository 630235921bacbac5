/** An asynchronous start with `spawn()`. */
import { spawn, type ChildProcess } from 'node:child_process';
import type { ChildHandle, CommandStartError, LaunchPlan } from '@vircommand/core/backend';
import { OpenFiles } from './files';
import { NodeChild } from './handle';
import { asItIsNow } from './later-start';
import { openSharedPipe, type SharedPipe } from './shared-pipe';
import { checkRoom } from './room';
import { spawnOf, type Spawn } from './spawn-options';
import { holdStandardNumbers } from './standard-numbers';
import { checkOpen, diagnosisOf } from './start-error';
import { isMerged, stdioOf, type Entry } from './stdio';

/** Resolves when exec succeeded. @throws CommandStartError; then nothing is left. */
export async function start(asked: LaunchPlan): Promise<ChildHandle> {
  let plan = asked;
  let what = spawnOf(plan);
  const then = isMerged(plan) ? asItIsNow(plan, what) : undefined;
  checkOpen(plan);
  const giveBack = holdStandardNumbers();
  let files: OpenFiles | undefined;
  let shared: SharedPipe | undefined;
  try {
    let child: ChildProcess;
    try {
      files = OpenFiles.needed(plan) ? OpenFiles.open(plan) : undefined;
      if (then !== undefined) {
        shared = await openSharedPipe();
        ({ plan, what } = then());
      }
      checkRoom(plan);
      child = spawnNow(plan, what, stdioOf(plan, files, shared?.write));
    } finally {
      // The program has its own by now, or there is none. An end of ours would keep the pipe from ending.
      files?.close();
      shared?.write.destroy();
      giveBack();
    }
    if (child.pid === undefined) throw await whyNot(child, plan, what.file);
    // In the turn of the start, which may be the last one of this process.
    return new NodeChild(child, child.pid, plan, shared?.read);
  } catch (error) {
    shared?.read.destroy();
    throw error;
  }
}

function spawnNow(plan: LaunchPlan, { file, args, options }: Spawn, stdio: Entry<SharedPipe['write']>[]): ChildProcess {
  try {
    // Without a prototype, so that a polluted Object.prototype is no option.
    return spawn(file, args, Object.assign(Object.create(null) as object, options, { stdio }));
  } catch (error) {
    // E2BIG, EPERM, EINVAL and others are thrown; EACCES, EAGAIN, EMFILE, ENFILE and ENOENT are an event.
    throw diagnosisOf(plan, file)(error as NodeJS.ErrnoException);
  }
}

/** What `spawn()` did not throw comes as an event. */
function whyNot(child: ChildProcess, plan: LaunchPlan, file: string): Promise<CommandStartError> {
  const diagnose = diagnosisOf(plan, file);
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
      resolve(diagnose(error));
    });
  });
}
