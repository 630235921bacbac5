/**
 * Subjects in processes of their own: the limit in C, other languages and runtimes, and Node with much memory or an event
 * loop to itself. Each stays while its case runs, does the work once for each line that it is sent, and takes the time
 * itself, so that talking to it is no part of the figure.
 */
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { figure, NotHere, type Role, type Subject } from './case';
import { directoryOf } from './packages';
import { libraries } from './peers';
import { expectEqual } from './subjects';

const sources = path.join(__dirname, '..', 'src', 'agents');

/** How an agent is started. @throws NotHere */
type Start = () => { readonly command: readonly string[]; readonly remove?: () => void };

/** What comes back, in milliseconds and bytes. */
interface Answer {
  readonly taken: number;
  readonly bytes: number;
  readonly longestTurn: number;
}

class Agent {
  private readonly child: ChildProcessByStdio<Writable, Readable, null>;
  private readonly lines: Interface;
  private readonly answers: AsyncIterator<string>;

  constructor([program = '', ...args]: readonly string[]) {
    this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    // What cannot be started gives no answer, which is told where one is awaited.
    this.child.on('error', () => undefined).stdin.on('error', () => undefined);
    this.lines = createInterface({ input: this.child.stdout });
    this.answers = this.lines[Symbol.asyncIterator]();
  }

  async ask(): Promise<Answer> {
    this.child.stdin.write('go\n');
    const answer = await this.answers.next();
    if (answer.done === true) throw new Error(`${this.child.spawnfile} ended without an answer`);
    const [taken = NaN, bytes = NaN, longestTurn = NaN] = answer.value.split(' ').map(Number);
    return { taken: taken / 1e6, bytes, longestTurn: longestTurn / 1e6 };
  }

  async end(): Promise<void> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end();
      await gone;
    }
    this.lines.close();
  }
}

/** What the figure of a run is, and how many bytes the program must have written. */
interface Reading {
  /** Runs before the first round: a process of its own has compiled nothing yet. */
  readonly warmUp?: number;
  readonly of?: 'taken' | 'longestTurn';
  readonly bytes?: number;
}

/** A subject that an agent does. */
export function agentSubject(
  name: string,
  role: Role,
  start: Start,
  { of = 'taken', bytes = 0, warmUp = 1 }: Reading = {},
): Subject {
  let agent: Agent | undefined;
  return {
    name,
    role,
    async setup() {
      const { command, remove } = start();
      const started = (agent = new Agent(command));
      try {
        for (let run = 0; run < warmUp; run++) await started.ask();
      } catch (error) {
        await started.end();
        remove?.();
        throw error;
      }
      return async () => {
        await started.end();
        remove?.();
      };
    },
    async run() {
      const answer = await agent?.ask();
      expectEqual(answer?.bytes ?? -1, bytes);
      return figure(answer?.[of] ?? NaN);
    },
  };
}

const firstLine = (text: string): string => text.trim().split('\n')[0] ?? '';

/** What no library can beat: the work in C, compiled where there is a compiler. */
export const inC = (way: 'start' | 'capture' | 'stream', command: readonly string[], reading?: Reading): Subject =>
  agentSubject(
    'posix_spawn in C',
    'limit',
    () => {
      const directory = mkdtempSync(path.join(tmpdir(), 'vircommand-bench-'));
      const remove = (): void => {
        rmSync(directory, { recursive: true });
      };
      const binary = path.join(directory, 'limit');
      const compiled = spawnSync('cc', ['-O2', '-o', binary, path.join(sources, 'limit.c')], { encoding: 'utf8' });
      if (compiled.error === undefined && compiled.status === 0) return { command: [binary, way, ...command], remove };
      remove();
      throw new NotHere(compiled.error === undefined ? firstLine(compiled.stderr) : 'no C compiler (cc)');
    },
    reading,
  );

function programOf(packageName: string, ...file: string[]): string {
  const program = path.join(directoryOf(packageName), ...file);
  if (!existsSync(program)) throw new NotHere(`${packageName} has no ${file.join('/')}`);
  return program;
}

/** The ways of peers that are no Node. */
export type ForeignWay = 'start' | 'startSync' | 'capture' | 'captureSync';

/** Bun, Deno and Python, where they are. */
export const foreign = (way: ForeignWay, command: readonly string[], reading?: Reading): Subject[] => {
  const script = path.join(sources, 'runtimes.mjs');
  const peers: Record<string, Start> = {
    'Bun.spawn': () => ({ command: [programOf('@oven/bun-linux-x64', 'bin', 'bun'), script, way, ...command] }),
    'Deno.Command': () => ({
      command: [programOf('@deno/linux-x64-glibc', 'deno'), 'run', '-A', '--quiet', script, way, ...command],
    }),
    'Python subprocess': () => {
      const found = spawnSync('python3', ['--version'], { encoding: 'utf8' });
      if (found.status !== 0) throw new NotHere('no python3');
      return { command: ['python3', path.join(sources, 'python.py'), way, ...command] };
    },
  };
  return Object.entries(peers).map(([name, start]) => agentSubject(name, 'peer', start, reading));
};

/** The ways of Node's libraries in a process of their own. */
type NodeWay = ForeignWay | 'crowd';

/** A library in a Node process of its own that holds so many MiB. */
export function inOwnProcess(
  given: { readonly library: string; readonly role: Role; readonly name?: string; readonly memory?: number },
  way: NodeWay,
  command: readonly string[],
  reading?: Reading,
): Subject {
  const { library, role, name = library, memory = 0 } = given;
  const script = path.join(__dirname, 'agents', 'node.js');
  const args = [script, library, way, String(memory), ...command];
  const there = async (): Promise<void> => {
    const ways = await libraries.find((candidate) => candidate.name === library)?.load();
    if (ways === undefined || (way !== 'crowd' && ways[way] === undefined)) throw new NotHere('it has no such thing');
  };
  const subject = agentSubject(name, role, () => ({ command: [process.execPath, ...args] }), reading);
  return {
    ...subject,
    async setup() {
      await there();
      return subject.setup?.();
    },
  };
}

/** Everybody, each in a process of its own: the limit, ours and all peers. */
export const everybody = (way: ForeignWay, command: readonly string[], reading?: Reading): Subject[] => [
  inC(way.startsWith('capture') ? 'capture' : 'start', command, reading),
  ...libraries.map(({ name, role }) => inOwnProcess({ library: name, role }, way, command, reading)),
  ...foreign(way, command, reading),
];
