/**
 * To be run in a pid namespace of its own: cleans up pid files by force while the numbers of those who have them are given
 * to strangers. Prints what was done and what became of the strangers.
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { chosenDriver } from '../../src/ffi';
import { libcThrough, type Libc } from '../../src/libc';
import { LINUX } from '../../src/linux';
import { forceCleanup } from '../../src/pidfile/clean';
import { stateOf, until } from '../started';

const [file = ''] = process.argv.slice(2);
const libc = libcThrough(chosenDriver(undefined));
const shell = (script: string, ...args: string[]): string =>
  execFileSync('/bin/sh', ['-c', script, ...args], { encoding: 'utf8' });

/** A process that has the file locked and leads its group; an orphan, so that its number is free as soon as it is dead. */
function lock(): number {
  const script = `setsid python3 "$0" "$1" self lasting </dev/null >/dev/null 2>&1 &
    until [ "$(cat "$1" 2>/dev/null)" = $! ]; do sleep 0.01; done; echo $!`;
  return Number(shell(script, path.join(__dirname, 'locker.py'), file));
}

/** Kills it and gives its number to a stranger that leads a group as well. Blocks, as whatever it comes between does. */
function replace(pid: number): void {
  const script = `kill -9 $0; while kill -0 $0 2>/dev/null; do :; done
    while :; do
      echo $(($0 - 1)) >/proc/sys/kernel/ns_last_pid
      setsid sleep 1000 </dev/null >/dev/null 2>&1 &
      [ $! = $0 ] && exit; kill -9 $!; wait $!
    done`;
  shell(script, String(pid));
}

const moments: Readonly<Record<string, (number: number, pid: number, locker: number) => boolean>> = {
  'before the pidfd': (number, pid, locker) => number === LINUX.SYS_pidfd_open && pid === locker,
  'before the signal': (number) => number === LINUX.SYS_pidfd_send_signal,
};

async function main(): Promise<void> {
  const dead = lock();
  replace(dead);
  await tell('a stale file', dead, libc, false);
  for (const group of [false, true]) {
    for (const [moment, isNow] of Object.entries(moments)) {
      const locker = lock();
      let due = true;
      const racing: Libc = {
        ...libc,
        syscall(number, ...rest) {
          if (due && isNow(number, rest[0], locker)) {
            due = false;
            replace(locker);
          }
          return libc.syscall(number, ...rest);
        },
      };
      await tell(`${moment}${group ? ', with its group' : ''}`, locker, racing, group);
    }
  }
}

async function tell(moment: string, locker: number, through: Libc, group: boolean): Promise<void> {
  const { pid, signal, removed } = await forceCleanup(through, file, { group });
  // It may still be on its way to sleep.
  await until(() => ['S', 'Z', undefined].includes(stateOf(locker)));
  const whom = pid === locker ? 'its own' : String(pid);
  console.log(
    `${moment}: ${whom}, ${String(signal)}, ${String(removed)}; ${stateOf(locker) === 'S' ? 'survived' : 'hit'}`,
  );
  shell('kill -9 $0', String(locker));
}

void main();
