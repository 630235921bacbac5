/** vitest without globals. It is a module that only its own runner can load, so it is handed in. */
import type { TestAdapter } from '../types';

interface Context {
  skip(reason?: string): unknown;
}
interface It {
  (title: string, options: { readonly timeout: number }, body: (context: Context) => Promise<void>): unknown;
  skip(title: string): unknown;
}
interface Describe {
  (title: string, body: () => void): unknown;
  sequential(title: string, body: () => void): unknown;
}
/** What is used of `import * as vitest from 'vitest'`. */
export interface Vitest {
  /** vitest's. */
  readonly describe: Describe;
  /** vitest's. */
  readonly it: It;
}

export function vitest({ describe, it }: Vitest): TestAdapter {
  return {
    describe(title, body) {
      // What a case leaves behind is seen in this process, where nothing else may run meanwhile.
      describe.sequential(title, body);
    },
    it(title, body, { timeout, skip }) {
      if (skip !== undefined) {
        it.skip(`${title}: ${skip}`);
        return;
      }
      it(title, { timeout }, async (context) => {
        let reason: string | undefined;
        await body((why) => {
          reason = why;
        });
        if (reason !== undefined) context.skip(reason);
      });
    },
  };
}
