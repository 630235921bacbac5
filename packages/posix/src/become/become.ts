/**
 * `exec()`: this process does to itself what the launcher does, by the same steps and in the same order, and becomes the
 * program. Only the main thread can: its id is that of the process, and a change of the directory is for all threads.
 */
import { execError, planBytes, startError, type LaunchPlan } from '@vircommand/core/backend';
import { DescriptorSet } from '../descriptor-set';
import { Environment } from '../environment';
import { systemError } from '../errno';
import { ExecImage } from '../launcher/exec';
import { raiseHardLimits, setLimits } from '../launcher/steps/limits';
import { changeRights } from '../launcher/steps/rights';
import { setScheduling } from '../launcher/steps/scheduling';
import { setUmask } from '../launcher/steps/umask';
import { programStrings } from '../launcher/strings';
import type { Libc } from '../libc';
import { programMoves } from '../moves';
import { checkPermission } from '../program';
import { setGroup } from './group';
import { Placement } from './placement';
import { OwnSignals } from './signals';

/**
 * Returns never.
 *
 * @throws CommandStartError. Descriptors and signals are as they were, the rest is as far as it came.
 */
export function becomeProgram(plan: LaunchPlan, libc: Libc): never {
  checkPermission();
  if (!libc.isMainThread)
    throw startError('exec', 'a worker thread cannot become a program; call exec() in the main thread');
  // What is nonblocking is made blocking in its place, for others too that share it: Node's exit, which does so, never comes.
  const descriptors = new DescriptorSet(libc, false);
  const signals = new OwnSignals(libc);
  let placement: Placement | undefined;
  try {
    // What can fail without any harm comes first.
    const { program, bytes, argc, envc } = programStrings(plan, plan.env, new Environment(libc));
    const image = new ExecImage(libc, bytes, argc, envc);
    descriptors.prepare(plan);
    const moves = programMoves(libc, plan, descriptors);
    placement = new Placement(libc, moves.stdio, moves.others);
    signals.closeInspector();
    change(plan, libc);
    signals.reset();
    // As late as can be: a thread of Node that something else wakes from now on uses numbers that are the program's.
    placement.place();
    setLimits(libc, plan);
    throw execError(systemError(image.execute(), 'execve', planBytes(program).toString()), program);
  } catch (error) {
    signals.restore();
    placement?.undo();
    descriptors.release(false);
    throw error;
  }
}

/** From here on it is another process, whatever comes. */
function change(plan: LaunchPlan, libc: Libc): void {
  setGroup(plan, libc);
  setUmask(libc, plan);
  raiseHardLimits(libc, plan);
  setScheduling(libc, plan);
  changeRights(libc, plan);
}
