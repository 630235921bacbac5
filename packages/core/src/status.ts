/** Decoding of the wait status that `wait(2)` and its relatives report. */
import { constants } from 'node:os';
import type { ExitStatus, SignalName } from './types';

const names = new Map<number, SignalName>();
for (const [name, number] of Object.entries(constants.signals)) {
  // The first name of a number wins: SIGABRT and not SIGIOT, SIGIO and not SIGPOLL.
  if (!names.has(number)) names.set(number, name as NodeJS.Signals);
}

/** The name of a signal; real-time and other unnamed ones are `SIG` and the number. */
export function signalName(number: number): SignalName {
  return names.get(number) ?? `SIG${number}`;
}

/** The number of a signal on this platform, or `undefined` if there is none of that name. */
export function signalNumber(name: string): number | undefined {
  if (Object.hasOwn(constants.signals, name)) return constants.signals[name as NodeJS.Signals];
  const number = /^SIG(\d{1,2})$/.exec(name)?.[1];
  return number === undefined || Number(number) < 1 || Number(number) > 64 ? undefined : Number(number);
}

/**
 * How a program ended, from its raw wait status (Linux and BSD layout).
 *
 * @example
 * ```ts
 * decodeWaitStatus(0x0200); // { exitCode: 2, signal: undefined, coreDumped: false }
 * decodeWaitStatus(0x008b); // { exitCode: undefined, signal: 'SIGSEGV', coreDumped: true }
 * ```
 */
export function decodeWaitStatus(status: number): Pick<ExitStatus, 'exitCode' | 'signal' | 'coreDumped'> {
  const signal = status & 0x7f;
  return signal === 0
    ? { exitCode: (status >> 8) & 0xff, signal: undefined, coreDumped: false }
    : { exitCode: undefined, signal: signalName(signal), coreDumped: (status & 0x80) !== 0 };
}
