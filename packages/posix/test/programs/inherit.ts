/**
 * `inherit REPORT HOW`: which of this process's streams and of its programs' are nonblocking, as JSON in the file `REPORT`, since
 * its streams are what is looked at.
 */
import { constants, readFileSync, writeFileSync } from 'node:fs';
import { bindCommand } from '@vircommand/core/backend';
import { createPosixBackend } from '../../src/backend';

const [, , report = '', how = ''] = process.argv;
const Command = bindCommand(createPosixBackend());

/** The numbers below 3 that are nonblocking. */
const nonblocking = (fdinfo: string): number[] =>
  Array.from(fdinfo.matchAll(/^flags:\s*([0-7]+)/gm), ([, octal = '']) => Number.parseInt(octal, 8)).flatMap(
    (flags, fd) => ((flags & constants.O_NONBLOCK) === 0 ? [] : [fd]),
  );
const own = (): number[] => nonblocking([0, 1, 2].map((fd) => readFileSync(`/proc/self/fdinfo/${fd}`)).join(''));

/** A program that notes how it finds the streams of this process, after what `first` says. */
function inherited(first = '') {
  const script = `${first} cat /proc/$$/fdinfo/0 /proc/$$/fdinfo/1 /proc/$$/fdinfo/2 > "$0"`;
  return new Command('sh', ['-c', script, report], { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' });
}

/** Uses the streams of this process as an application does. */
function use(): void {
  for (const stream of [process.stdin, process.stdout, process.stderr]) stream.on('error', () => undefined);
}

async function flags(run: () => unknown, useBefore = true): Promise<void> {
  if (useBefore) use();
  const before = own();
  await run();
  const program = nonblocking(readFileSync(report, 'latin1'));
  writeFileSync(report, JSON.stringify({ before, program, after: own() }));
}

const ways: Readonly<Record<string, () => Promise<void>>> = {
  run: () => flags(() => inherited().run()),
  runSync: () => flags(() => inherited().runSync()),

  /** The streams are used for the first time while the program runs. */
  later: () =>
    flags(async () => {
      const running = await inherited('kill -STOP $$;').runAsync();
      use();
      const { pid = 0 } = running;
      while (!readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') T ')) await new Promise(setImmediate);
      running.kill('SIGCONT');
      await running.wait();
    }, false),

  /** Nothing here uses a stream of this process, and threads are made. (Node uses stderr whenever it closes a socket.) */
  async threads() {
    const before = own();
    await new Command('/bin/true', [], { umask: 0o22 }).run();
    await Promise.all(Array.from({ length: 60 }, () => new Command('/bin/true').run()));
    writeFileSync(report, JSON.stringify({ before, after: own().filter((fd) => fd !== 2) }));
  },
};

void ways[how]?.();
