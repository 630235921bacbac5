/** This project, on each backend and with each choice that has a bar of its own. */
import type { CommandConstructor } from '@vircommand/core';
import { NotHere } from '../case';
import { count, sizeOf, type Library, type Ways } from './ways';

const ours = (Command: CommandConstructor): Ways => ({
  start: (program, args) => new Command(program, args, { stderr: 'null' }).run(),
  startSync: (program, args) => new Command(program, args, { stderr: 'null' }).runSync(),
  startUmask: (program, args) => new Command(program, args, { stderr: 'null', umask: 0o27 }).run(),
  startLimited: (program, args) =>
    new Command(program, args, { stderr: 'null', umask: 0o27, nice: 5, limits: { files: 256, core: 0 } }).run(),
  capture: async (program, args) =>
    (await new Command(program, args, { stdout: 'bytes', stderr: 'null' }).run()).stdout.length,
  captureSync: (program, args) =>
    new Command(program, args, { stdout: 'bytes', stderr: 'null' }).runSync().stdout.length,
  async stream(program, args) {
    const running = await new Command(program, args, { stdout: 'pipe', stderr: 'null' }).runAsync();
    const [bytes] = await Promise.all([sizeOf(running.stdout), running.wait()]);
    return bytes;
  },
  lines: (program, args) => count(new Command(program, args, { stderr: 'null' }).runLines()),
  feed: async (program, args, input) =>
    Number((await new Command(program, args, { stdin: { input }, stdout: 'text', stderr: 'null' }).run()).stdout),
  async talk(program, args) {
    const options = { stdin: 'pipe', stdout: 'pipe', stderr: 'null' } as const;
    const running = await new Command(program, args, options).runAsync();
    return { stdin: running.stdin, stdout: running.stdout, ended: running.wait() };
  },
});

/** @throws NotHere */
async function posix() {
  const found = await import('@vircommand/posix');
  const reason = found.whyNot();
  if (reason !== undefined) throw new NotHere(reason);
  return found;
}

export const posixName = 'vircommand posix';
export const childProcessName = 'vircommand child-process';

export const project: readonly Library[] = [
  { name: posixName, role: 'ours', load: async () => ours((await posix()).Command) },
  {
    name: childProcessName,
    role: 'ours',
    load: async () => ours((await import('@vircommand/child-process')).Command),
  },
];

export const ffiNapi = `${posixName}, ffi-napi`;
export const direct = `${posixName}, direct`;
export const thread = `${posixName}, thread`;
export const launcher = `${posixName}, launcher`;

/** With what is read from the environment once, when a backend is made. @throws NotHere where that cannot be had */
async function posixWith(name: string, value: string): Promise<Ways> {
  const { createPosixBackend } = await posix();
  const { bindCommand } = await import('@vircommand/core/backend');
  const before = process.env[name];
  process.env[name] = value;
  try {
    const backend = createPosixBackend();
    return ours(bindCommand(() => backend));
  } catch (error) {
    throw new NotHere(error instanceof Error ? error.message : String(error));
  } finally {
    if (before === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = before;
  }
}

const way = 'VIRCOMMAND_WAY';
/** Not what one gets without asking. */
export const variants: readonly Library[] = [
  { name: ffiNapi, role: 'ours', load: () => posixWith('VIRCOMMAND_FFI', 'ffi-napi') },
  { name: direct, role: 'ours', load: () => posixWith(way, 'direct') },
  { name: thread, role: 'ours', load: () => posixWith(way, 'thread') },
  { name: launcher, role: 'ours', load: () => posixWith(way, 'launcher') },
];
