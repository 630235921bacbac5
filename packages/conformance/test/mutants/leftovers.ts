/** Programs that are run rightly, and what stays behind. Any case catches these; a plain one is meant to. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { withStart, type Mutant } from './mutant';

const plain = 'output.empty';

/** Does it beside every start. */
const alsoDoing = (what: () => void): Mutant['break'] =>
  withStart((good, plan) => {
    what();
    return good.start(plan);
  });

const fds: number[] = [];
const timers: NodeJS.Timeout[] = [];
const children: ChildProcess[] = [];
const listener = (): void => undefined;
const cwd = process.cwd();
const umasks: number[] = [];

export const leftoverMutants: readonly Mutant[] = [
  {
    does: 'leaks a descriptor',
    caughtBy: plain,
    break: alsoDoing(() => fds.push(openSync('/dev/null', 'r'))),
    cleanUp: () => fds.splice(0).forEach(closeSync),
  },
  {
    does: 'leaks a listener',
    caughtBy: plain,
    break: alsoDoing(() => process.on('SIGUSR2', listener)),
    cleanUp: () => void process.removeAllListeners('SIGUSR2'),
  },
  {
    does: 'leaks a timer, which keeps the process from ending',
    caughtBy: plain,
    break: alsoDoing(() => timers.push(setInterval(listener, 60_000))),
    cleanUp: () => timers.splice(0).forEach(clearInterval),
  },
  {
    does: 'leaves a temporary file',
    caughtBy: plain,
    // In the directory of the case, which is removed.
    break: alsoDoing(() => mkdtempSync(path.join(tmpdir(), 'left-'))),
  },
  {
    does: 'leaves a process',
    caughtBy: plain,
    break: alsoDoing(() => children.push(spawn('sleep', ['60'], { stdio: 'ignore' }))),
    cleanUp: () => children.splice(0).forEach((child) => child.kill('SIGKILL')),
  },
  {
    does: 'changes the working directory of this process',
    caughtBy: plain,
    break: alsoDoing(() => process.chdir('/')),
    cleanUp: () => process.chdir(cwd),
  },
  {
    does: 'changes the umask of this process',
    caughtBy: plain,
    break: alsoDoing(() => umasks.push(process.umask(0o77))),
    cleanUp: () => umasks.reverse().forEach((umask) => process.umask(umask)),
  },
  {
    does: 'has a promise that fails and that nobody looks at',
    caughtBy: plain,
    break: alsoDoing(() => void Promise.reject(new Error('stray'))),
  },
];
