/**
 * Chaos: random programs, random deadlines, aborts, kills and disposals at random moments, many at once, on every backend.
 * Every promise must settle; no zombie, no orphan, no descriptor and no listener may be left; memory must stay flat.
 *
 *     npm run soak -- --seconds 60 --seed 7 --backend posix
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Command as ChildProcess } from '@vircommand/child-process';
import type { CommandConstructor } from '@vircommand/core';
import { Command as Posix } from '@vircommand/posix';
import { oneRun } from './one-run';
import { Random } from './random';

const backends: Readonly<Record<string, CommandConstructor>> = { posix: Posix, 'child-process': ChildProcess };

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    backend: { type: 'string', multiple: true, default: Object.keys(backends) },
    atOnce: { type: 'string', default: '16' },
  },
});

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

/** Processes whose command line has the mark, and zombies of ours. */
function left(mark: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const ours = Number(parent) === process.pid;
      return command.includes(mark) || (ours && state === 'Z') ? [`${pid} ${String(state)} ${command}`] : [];
    } catch {
      return [];
    }
  });
}

/** Waits for a condition, not for a time; what is still wrong after a while. */
async function settledTo<T>(look: () => T, good: (seen: T) => boolean): Promise<T> {
  let seen = look();
  for (let tries = 0; tries < 100 && !good(seen); tries++) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    seen = look();
  }
  return seen;
}

async function soak(
  name: string,
  Command: CommandConstructor,
  seconds: number,
  seed: number,
  atOnce: number,
): Promise<boolean> {
  const mark = `soak-${String(process.pid)}-${name}`;
  const endings = new Map<string, number>();
  let runs = 0;
  let stuck = '';
  const watch = async (random: Random): Promise<void> => {
    const begun = Date.now();
    while (Date.now() - begun < seconds * 1000) {
      const timer = setTimeout(() => {
        stuck = 'a run did not settle within 20 s';
        console.error(`${stuck}: ${left(mark).join(', ')}`);
        process.exit(1);
      }, 20_000);
      const ending = await oneRun(Command, random, mark);
      clearTimeout(timer);
      endings.set(ending, (endings.get(ending) ?? 0) + 1);
      runs++;
    }
  };
  await Promise.all(Array.from({ length: 4 }, (_, index) => oneRun(Command, new Random(seed + index), mark)));
  await settledTo(
    () => left(mark).length,
    (count) => count === 0,
  );
  const before = {
    descriptors: openDescriptors(),
    listeners: process.listenerCount('SIGCHLD') + process.listenerCount('exit'),
  };
  const memory: number[] = [];
  const sampler = setInterval(() => memory.push(process.memoryUsage.rss()), Math.max(500, (seconds * 1000) / 40));
  await Promise.all(Array.from({ length: atOnce }, (_, index) => watch(new Random(seed * 1000 + index))));
  clearInterval(sampler);
  const processes = await settledTo(
    () => left(mark),
    (list) => list.length === 0,
  );
  const descriptors = await settledTo(openDescriptors, (count) => count <= before.descriptors);
  const listeners = process.listenerCount('SIGCHLD') + process.listenerCount('exit');
  const mebibytes = (bytes: number | undefined): number => Math.round((bytes ?? 0) / 2 ** 20);
  const half = memory.slice(Math.floor(memory.length / 2));
  console.log(
    [
      `${name}: seed ${String(seed)}, ${String(runs)} runs, ${Array.from(endings, ([ending, count]) => `${ending} ${String(count)}`).join(', ')}`,
      `  processes left ${String(processes.length)}, descriptors ${String(before.descriptors)} → ${String(descriptors)}, listeners ${String(before.listeners)} → ${String(listeners)}, ` +
        `memory ${String(mebibytes(half[0]))} → ${String(mebibytes(half.at(-1)))} MiB in the second half`,
      ...processes.map((line) => `  left: ${line}`),
    ].join('\n'),
  );
  return processes.length === 0 && descriptors <= before.descriptors && listeners <= before.listeners;
}

async function main(): Promise<void> {
  process.on('unhandledRejection', (reason) => {
    console.error('unhandled rejection', reason);
    process.exit(1);
  });
  let good = true;
  for (const name of values.backend) {
    const Command = backends[name];
    if (Command === undefined) throw new Error(`there is no backend ${name}`);
    good = (await soak(name, Command, Number(values.seconds), Number(values.seed), Number(values.atOnce))) && good;
  }
  process.exitCode = good ? 0 : 1;
}

void main();
