/** The pipes by which descendants of a program are recognised. */
import { pipesOf, type LaunchPlan } from '@vircommand/core/backend';
import { givenFds } from './stdio';

/**
 * The program's ends of its pipes, asked for right after the start. A quick program may have put something else in their places
 * already, which others hold too: a file or a pipe that it has opened, or what it was given. What libuv makes are sockets,
 * which nobody opens.
 */
export function ownPipes(pid: number, plan: LaunchPlan): readonly string[] {
  if (process.platform !== 'linux') return [];
  const fds = [plan.stdin, plan.stdout, plan.stderr].flatMap(({ type }, fd) => (type === 'pipe' ? [fd] : []));
  const seen = (pipesOf(pid, fds) ?? []).filter((end) => end.startsWith('socket:'));
  const given = givenFds(plan);
  if (seen.length === 0 || given.length === 0) return seen;
  const others = pipesOf(process.pid, given) ?? [];
  return seen.filter((end) => !others.includes(end));
}
