/** One line on a terminal that says how long a program has been running, and how much it has written. */
import { statDescriptor } from '@vircommand/core/backend';
import type { Job } from './job';
import type { Output } from './output';
import { sizeText, timeText } from './stats';
import type { Surroundings } from './subcommand';

/** What is over before needs no line, in milliseconds. */
const patience = 2000;
const interval = 500;
const eraseLine = '\r\x1b[K';

/** Where the program writes to the terminal itself it would be in the way. */
export function wantsLive({ live, files }: Job, { stdout, stderr }: Surroundings): boolean {
  if (live === false || !stderr.isTerminal) return false;
  return live ?? !(files.stdout === undefined && stdout.isTerminal);
}

/** How much a file has grown; nothing for what is no file. */
export function growthOf(fd: number): (() => number) | undefined {
  const size = (): number | undefined => {
    try {
      const stat = statDescriptor(fd);
      return stat.isFile() ? Number(stat.size) : undefined;
    } catch {
      return undefined;
    }
  };
  const before = size();
  return before === undefined ? undefined : () => Math.max(0, (size() ?? before) - before);
}

/** Shows the line until it is disposed. It does not keep the process alive. */
export function showLive(output: Output, bytes: (() => number) | undefined, began = performance.now()): Disposable {
  let shown = false;
  const show = (): void => {
    const time = timeText(performance.now() - began).replace(/\.\d+/, '');
    output.write(`${eraseLine}${time}${bytes === undefined ? '' : `, ${sizeText(bytes())} of output`}`);
    shown = true;
  };
  let timer = setTimeout(() => {
    show();
    timer = setInterval(show, interval).unref();
  }, patience).unref();
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      if (shown) output.write(eraseLine);
    },
  };
}
