/** Decoding of the wait status that `wait(2)` and its relatives report. */
import type { ExitStatus, SignalName } from './types';

/** Loaded when first asked for: most programs end without a signal. */
const signals = (): Readonly<Record<string, number>> => process.getBuiltinModule('node:os').constants.signals;

let made: Map<number, SignalName> | undefined;
function names(): ReadonlyMap<number, SignalName> {
  if (made !== undefined) return made;
  made = new Map();
  for (const [name, number] of Object.entries(signals())) {
    // The first name of a number wins: SIGABRT and not SIGIOT, SIGIO and not SIGPOLL.
    if (!made.has(number)) made.set(number, name as NodeJS.Signals);
  }
  return made;
}

/** The name of a signal; real-time and other unnamed ones are `SIG` and the number. */
export function signalName(number: number): SignalName {
  return names().get(number) ?? `SIG${number}`;
}

/** The number of a signal on this platform, or `undefined` if there is none of that name. */
export function signalNumber(name: string): number | undefined {
  if (Object.hasOwn(signals(), name)) return signals()[name];
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
