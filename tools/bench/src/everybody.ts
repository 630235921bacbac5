/** Who does the work of a case in a process of its own: the limit, ours, the libraries, other runtimes and languages. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { agentSubject, commandOf, type Program, type Reading } from './agent';
import { NotHere, type Role, type Subject } from './case';
import { compile, sources } from './compile';
import { directoryOf } from './packages';
import { libraries, load, type Ways } from './peers';

/** What an agent can be asked for. */
export type Way =
  | 'start'
  | 'startSync'
  | 'startUmask'
  | 'startLimited'
  | 'capture'
  | 'captureSync'
  | 'stream'
  | 'lines'
  | 'feed'
  | 'talk'
  | 'crowd'
  | 'block'
  | 'first'
  | 'peak';

/** What everybody is asked for. */
export interface Task extends Reading {
  readonly way: Way;
  readonly program: Program;
  /** Programs at once, bytes to feed, messages to send: whatever the way takes. */
  readonly amount?: number;
  /** What the process holds meanwhile, in MiB. */
  readonly memory?: number;
}

const ordered = ({ way, amount = 0, memory = 0, program }: Task): string[] => [
  way,
  String(amount),
  String(memory),
  ...commandOf(program),
];
const reading = (task: Task): Reading => ({ ...task, needs: Math.max(task.needs ?? 0, (task.memory ?? 0) * 1.2) });

export const limitName = 'posix_spawn in C';
/** The C program knows no difference where there is none. */
const inCInstead: Partial<Record<Way, Way>> = { startSync: 'start', captureSync: 'capture' };

/** What no library can beat: the work in C, compiled where there is a compiler. */
export const inC = (task: Task, name = limitName, role: Role = 'limit'): Subject => {
  const way = inCInstead[task.way] ?? task.way;
  return agentSubject(name, role, () => [compile('limit.c'), ...ordered({ ...task, way })], reading(task));
};

function programOf(packageName: string, ...file: string[]): string {
  const program = path.join(directoryOf(packageName), ...file);
  if (!existsSync(program)) throw new NotHere(`${packageName} has no ${file.join('/')}`);
  return program;
}

interface Runtime {
  readonly name: string;
  readonly cannot: readonly Way[];
  /** @throws NotHere */
  readonly command: () => readonly string[];
}

const script = path.join(sources, 'runtimes.mjs');
const runtimes: readonly Runtime[] = [
  {
    name: 'Bun.spawn',
    cannot: ['lines', 'peak', 'startUmask', 'startLimited'],
    command: () => [programOf('@oven/bun-linux-x64', 'bin', 'bun'), script],
  },
  {
    name: 'Deno.Command',
    cannot: ['lines', 'peak', 'startUmask', 'startLimited'],
    command: () => [
      programOf('@deno/linux-x64-glibc', 'deno'),
      'run',
      '-A',
      '--quiet',
      '--v8-flags=--expose-gc',
      script,
    ],
  },
  {
    name: 'Python subprocess',
    cannot: ['crowd', 'block', 'peak'],
    command: () => {
      // What may be a script that looks for it tells where it is.
      const found = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' });
      if (found.status !== 0) throw new NotHere('no python3');
      return [found.stdout.trim(), path.join(sources, 'python.py')];
    },
  },
];

/** Bun, Deno and Python, where they are and have such a thing. */
export const foreign = (task: Task): Subject[] =>
  runtimes
    .filter(({ cannot }) => !cannot.includes(task.way))
    .map(({ name, command }) => agentSubject(name, 'peer', () => [...command(), ...ordered(task)], reading(task)));

/** Ways of an agent that are made of what a library has. */
const madeOf: Partial<Record<Way, keyof Ways>> = { crowd: 'start', block: 'start', first: 'start', peak: 'capture' };

/** A library in a Node process of its own. */
export function inOwnProcess(library: string, role: Role, task: Task, name = library): Subject {
  const agent = path.join(__dirname, 'agents', 'node.js');
  const command = () => [process.execPath, '--expose-gc', agent, library, ...ordered(task)];
  const subject = agentSubject(name, role, command, reading(task));
  return {
    ...subject,
    async setup() {
      const ways = await load(library);
      if (ways[(madeOf[task.way] ?? task.way) as keyof Ways] === undefined) throw new NotHere('it has no such thing');
      return subject.setup?.();
    },
  };
}

/** Ours with a choice that is not the usual one. */
export const inVariant = (library: string, task: Task, name = library): Subject =>
  inOwnProcess(library, 'ours', task, name);

/** The libraries alone, each in a Node process of its own. */
export const allLibraries = (task: Task): Subject[] =>
  libraries.map(({ name, role }) => inOwnProcess(name, role, task));

/** Everybody, each in a process of its own. */
export const everybody = (task: Task): Subject[] => [
  ...(task.way === 'peak' ? [] : [inC(task)]),
  ...allLibraries(task),
  ...foreign(task),
];
