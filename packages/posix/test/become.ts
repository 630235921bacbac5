/** Becomes a program through the launcher's steps, and tells what `/proc` shows of it, from outside. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { DriverName } from '../src/ffi';
import type { LibcName } from '../src/libc';
import { bundled, bundledEnv } from './bundled';
import type { Said, Work } from './programs/become';

/** What a program has become. */
export interface Program {
  /** Of `/proc/PID/status`, with single spaces. */
  readonly status: (field: string) => string;
  /** Soft and hard, of `/proc/PID/limits`. */
  readonly limit: (title: string) => string;
  readonly nice: number;
}
export type Outcome =
  | { readonly ran: true; readonly program: Program; readonly calls: readonly LibcName[] }
  | {
      readonly ran: false;
      readonly stage: string;
      readonly code: string;
      readonly syscall: string;
      readonly reason: string;
    };

type Asked = Partial<Work> & Pick<Work, 'privileged'>;

function start(work: Asked, as: readonly string[]): ChildProcess {
  const driver: DriverName = 'koffi';
  const argv = [...as, process.execPath, bundled('become'), JSON.stringify({ driver, ...work })];
  return spawn(argv[0] ?? '', argv.slice(1), {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    env: bundledEnv(),
  });
}

/** Becomes a program that prints, and returns that. */
export async function print(work: Asked & Required<Pick<Work, 'target'>>): Promise<string> {
  const child = start(work, []);
  let text = '';
  child.stdout?.on('data', (chunk) => (text += String(chunk)));
  child.stdio[3]?.on('data', () => undefined);
  const code = await new Promise<number | null>((settle) => child.once('close', settle));
  if (code !== 0) throw new Error(`it ended with ${code}: ${text}`);
  return text;
}

/** @param as a command that becomes the command behind it, like `setpriv` with options */
export async function become(work: Asked, as: readonly string[] = []): Promise<Outcome> {
  const child = start(work, as);
  child.stdout?.resume();
  // Its pipes are closed then, too.
  const exited = new Promise<number | null>((settle) => child.once('close', settle));
  try {
    const pipe = child.stdio[3] as NodeJS.ReadableStream;
    let text = '';
    for await (const chunk of pipe) text += String(chunk);
    const said = JSON.parse(text === '' ? '{}' : text) as Partial<Said>;
    if ('stage' in said) {
      const { stage = '', code = '', syscall = '', reason = '' } = said;
      if ((await exited) !== 125) throw new Error('it went on');
      return { ran: false, stage, code, syscall, reason };
    }
    if (!('calls' in said)) throw new Error(`it ended without a word: ${await exited}`);
    return { ran: true, program: await look(child.pid ?? 0), calls: said.calls ?? [] };
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}

/** When it has come to rest: before, exec may not be over. Who is gone has no `stat`, which throws. */
export async function look(pid: number): Promise<Program> {
  const stat = (): string[] => readFileSync(`/proc/${pid}/stat`, 'latin1').split(/[ ()]+/);
  while (stat()[1] !== 'sleep' || stat()[2] !== 'S') await new Promise((done) => setImmediate(done));
  return read(pid);
}

/** What there is to see of a process. */
export function read(pid: number | 'self'): Program {
  const file = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'latin1');
  return parse({ status: file('status'), limits: file('limits'), stat: file('stat') });
}

/** The same, of the files' contents. */
export function parse({ status, limits, stat }: Readonly<Record<'status' | 'limits' | 'stat', string>>): Program {
  return {
    status: (field) => new RegExp(`^${field}:(.*)$`, 'm').exec(status)?.[1]?.trim().replace(/\s+/g, ' ') ?? 'none',
    limit: (title) => limits.split(title)[1]?.trim().split(/\s+/).slice(0, 2).join(' ') ?? 'none',
    nice: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]),
  };
}
