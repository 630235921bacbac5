/** An asynchronous start with `spawn()`. */
import { spawn, type ChildProcess } from 'node:child_process';
import type { ChildHandle, LaunchPlan } from '@vircommand/core/backend';
import { OpenFiles } from './files';
import { NodeChild } from './handle';
import { openSharedPipe, type SharedPipe } from './shared-pipe';
import { spawnOf } from './spawn-options';
import { diagnose } from './start-error';
import { isMerged, stdioOf } from './stdio';

/** Resolves when exec succeeded. @throws CommandStartError; then nothing is left. */
export async function start(plan: LaunchPlan): Promise<ChildHandle> {
  let files: OpenFiles | undefined;
  let shared: SharedPipe | undefined;
  let started = false;
  try {
    const { file, args, options } = spawnOf(plan);
    if (OpenFiles.needed(plan)) files = await OpenFiles.open(plan);
    if (isMerged(plan)) shared = await openSharedPipe();
    const stdio = stdioOf(plan, files, shared?.write);
    let child: ChildProcess;
    try {
      child = spawn(file, args, { ...options, stdio });
    } catch (error) {
      // E2BIG, EPERM, EINVAL and others are thrown, the rest is an event.
      throw diagnose(error as NodeJS.ErrnoException, plan, file);
    }
    const handle = await new Promise<NodeChild>((resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
        reject(diagnose(error, plan, file));
      });
      child.once('spawn', () => {
        resolve(new NodeChild(child, plan, shared?.read));
      });
    });
    started = true;
    return handle;
  } finally {
    files?.close();
    shared?.write.destroy();
    if (!started) shared?.read.destroy();
  }
}
