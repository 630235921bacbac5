/** Tools of the system that do a part of what `vircommand run` does, to be compared with. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';

/** Where administrators' tools lie, which are not on everybody's PATH. */
const directories = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];

/** The path of a tool; a test without it is skipped and says so, except in CI on Debian, which must have it. */
export function peer(name: string, context: Mocha.Context): string {
  for (const directory of directories) {
    const file = path.join(directory, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not here.
    }
  }
  const must = (process.env.CI ?? '') !== '' && existsSync('/etc/debian_version');
  if (must) throw new Error(`${name} is not installed: run tools/prepare-machine`);
  if (context.test !== undefined) context.test.title += ` (not checked: ${name} is not installed here)`;
  return context.skip();
}

/** Fields of `/proc/PID/status`, and what else there is. */
interface Seen {
  readonly status: Readonly<Record<string, string>>;
  readonly nice: string;
  readonly limits: readonly string[];
  readonly argv: readonly string[];
  readonly environ: readonly string[];
}

/** Whether it has become sleep(1): the kernel names a program before its arguments and its environment can be read. */
export function isSleep(pid: number | string): boolean {
  const read = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'latin1');
  return read('comm') === 'sleep\n' && read('cmdline') !== '' && read('environ') !== '';
}

/** What the kernel says of a process, without what differs between any two of them. */
export function lookAt(pid: number): Seen {
  const read = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'latin1');
  const status: Record<string, string> = {};
  for (const [, key = '', value = ''] of read('status').matchAll(/^(\w+):\t(.*)$/gm)) status[key] = value;
  const stat = read('stat')
    .replace(/^.*\) /s, '')
    .split(' ');
  const kept = ['Umask', 'Uid', 'Gid', 'Groups', 'NoNewPrivs', 'Cpus_allowed_list', 'Threads', 'Seccomp'];
  const masks = ['SigBlk', 'SigIgn', 'SigCgt', 'CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'];
  return {
    status: Object.fromEntries([...kept, ...masks].map((name) => [name, status[name] ?? ''])),
    nice: stat[16] ?? '',
    limits: read('limits').split('\n'),
    argv: read('cmdline').split('\0'),
    environ: read('environ').split('\0').sort(),
  };
}
