/** Programs that are quick, slow, noisy, stubborn, crashing or forking. */
import type { Random } from './random';

/** A program to run. */
export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  /** It cannot be started. */
  readonly absent?: true;
  /** Somebody has to end it. */
  readonly endless?: true;
  /** It writes until it is stopped. */
  readonly noisy?: true;
  /** It has descendants, which a signal to the program alone does not end. */
  readonly forks?: true;
  /** They leave their parent and their session: only a pipe that they hold tells whose they are. */
  readonly escaping?: true;
}

const shell = (script: string, more: Omit<Program, 'file' | 'args'> = {}): Program => ({
  file: '/bin/sh',
  args: ['-c', script],
  ...more,
});
const endless = (script: string): Program => shell(script, { endless: true, forks: true });
const storm = (count: number): Program =>
  endless(`i=0; while [ $i -lt ${count} ]; do sleep 60 & i=$((i + 1)); done; wait`);

const ordinary: readonly Program[] = [
  { file: '/bin/true', args: [] },
  { file: '/bin/false', args: [] },
  { file: '/no/such/program', args: [], absent: true },
  { file: 'no-such-program', args: [], absent: true },
  { file: '/bin/cat', args: [] },
  { file: '/usr/bin/head', args: ['-c', '3000000', '/dev/zero'] },
  { file: '/usr/bin/yes', args: [], endless: true, noisy: true },
  { file: 'sleep', args: ['60'], endless: true },
  shell('echo out; echo err >&2; exit 3'),
  shell('ulimit -c 0; kill -SEGV $$'),
  shell('sleep 0.2 & echo left a child behind', { forks: true }),
  endless("trap '' TERM; sleep 60; sleep 60"),
  endless("trap 'exit 0' TERM; while :; do sleep 0.01; done"),
  endless('sleep 60 & setsid sleep 60 & wait'),
  shell('(setsid sleep 60 &); sleep 60', { endless: true, forks: true, escaping: true }),
  endless('trap "" TERM; setsid sh -c "trap \'\' TERM; sleep 60 & wait" & sleep 60'),
  endless('sleep 60 & kill -STOP $!; wait'),
  endless('kill -STOP $$; sleep 60'),
  storm(8),
];

/** One of them; a storm of forks only now and then, since it takes the machine as long as all the others. */
export const anyProgram = (random: Random): Program => (random.chance(0.005) ? storm(200) : random.pick(ordinary));
