/**
 * Does the steps of the launcher to itself, and becomes `sleep`. One call into libc may fail on the way, or seem to succeed
 * without being made. Says on descriptor 3, which is closed on exec, what it called, or why it stopped.
 */
import { writeSync } from 'node:fs';
import { CommandStartError, type LaunchPlan } from '@vircommand/core/backend';
import { libcThrough, type Libc, type LibcName } from '../../src/libc';
import type { DriverName } from '../../src/ffi';
import { raiseHardLimits, setLimits } from '../../src/launcher/steps/limits';
import { changeRights } from '../../src/launcher/steps/rights';
import { setScheduling } from '../../src/launcher/steps/scheduling';
import { setUmask } from '../../src/launcher/steps/umask';
import { LINUX } from '../../src/linux';

export interface Work {
  readonly driver: DriverName;
  readonly privileged: LaunchPlan['privileged'];
  /** The result of the call of that number, counted from 0, which is then not made. */
  readonly fault?: { readonly call: number; readonly result: number };
  readonly softFiles?: number;
  /** What it becomes: path and arguments. */
  readonly target?: readonly string[];
}
export type Said =
  | { readonly calls: readonly LibcName[] }
  | { readonly stage: string; readonly code: string; readonly syscall: string | undefined; readonly reason: string };

/** Every step that changes something, and what each of them asks. */
const counted: readonly LibcName[] = [
  ...(['umask', 'getrlimit', 'setrlimit', 'setpriority', 'sched_setaffinity', 'sched_getaffinity'] as const),
  ...(['getpwuid_r', 'getgrouplist', 'syscall', 'prctl', 'capset'] as const),
];

const {
  driver,
  privileged,
  fault,
  softFiles,
  target = ['/bin/sleep', '1000'],
} = JSON.parse(process.argv[2] ?? '') as Work;
const real = libcThrough(driver);
const calls: LibcName[] = [];
type Call = (...args: unknown[]) => number;
const watched = counted.map((name) => {
  const call: Call = (...args) => {
    calls.push(name);
    return calls.length - 1 === fault?.call ? fault.result : (real[name] as Call)(...args);
  };
  return [name, call] as const;
});
const libc = { ...real, ...Object.fromEntries(watched) } as Libc;

const say = (said: Said): void => void writeSync(3, JSON.stringify(said));
const strings = target.map((text) => Buffer.from(text + '\0'));
const argv = strings.map((string) => real.driver.address(string));
// Two pointers more: the end of argv, and an empty environment.
const pointers = Buffer.alloc(8 * (argv.length + 2));
argv.forEach((address, index) => pointers.writeBigUInt64LE(BigInt(address), 8 * index));
const argvAddress = real.driver.address(pointers);
const envpAddress = argvAddress + 8 * (argv.length + 1);
// Node closes it on exec.
real.fcntl(1, LINUX.F_SETFD, 0);

try {
  const plan = { privileged, cwd: undefined };
  setUmask(libc, plan);
  raiseHardLimits(libc, plan);
  setScheduling(libc, plan);
  changeRights(libc, plan);
  setLimits(libc, plan, softFiles);
  say({ calls });
  const failed = real.execve(argv[0] ?? 0, argvAddress, envpAddress);
  say({ stage: 'exec', code: String(failed), syscall: 'execve', reason: `${strings.length} strings` });
} catch (error) {
  if (!(error instanceof CommandStartError)) throw error;
  const { stage, code, syscall, reason } = error;
  say({ stage, code, syscall, reason });
}
process.exit(125);
