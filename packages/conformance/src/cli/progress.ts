/** One line on a terminal that says which case runs; nothing elsewhere. */
import type { RunnerOptions } from '../runner';
import type { Output, Paint } from './style';

/** What the runner is to call, and the end of the line. */
export interface Progress extends Required<Pick<RunnerOptions, 'onStart' | 'onCase'>> {
  end(): void;
}

const silent: Progress = { onStart: () => undefined, onCase: () => undefined, end: () => undefined };

const eraseLine = '\r\x1b[K';

export function progressOn(output: Output, paint: Paint): Progress {
  if (output.isTTY !== true) return silent;
  let failed = 0;
  return {
    onStart({ id }, index, count) {
      const bad = failed === 0 ? '' : `, ${failed} failed`;
      // A line that wraps could not be erased.
      const line = `${index + 1}/${count}${bad}  ${id}`.slice(0, (output.columns ?? 80) - 1);
      output.write(eraseLine + paint(failed === 0 ? 'dim' : 'red', line));
    },
    onCase({ status }) {
      if (status === 'failed') failed++;
    },
    end() {
      output.write(eraseLine);
    },
  };
}
