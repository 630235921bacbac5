/** The `describe` and `it` that mocha, jest and vitest (with `globals: true`) put in every test file. */
import type { TestAdapter } from '../types';

type Body = (this: unknown, ...args: readonly unknown[]) => Promise<void>;
interface Registered {
  timeout?: (ms: number) => unknown;
}
interface It {
  (title: string, body: Body, timeout: number): Registered | undefined;
  skip(title: string, body: Body): unknown;
}
interface Describe {
  (title: string, body: () => void): unknown;
  sequential?: (title: string, body: () => void) => unknown;
}
interface Runner {
  readonly describe: Describe;
  readonly it: It;
}

function runner(): Runner {
  const { describe, it } = globalThis as unknown as Partial<Runner>;
  if (describe !== undefined && it !== undefined) return { describe, it };
  throw new TypeError(
    'conformance(): there is no describe() and it() here. Run this file with mocha or jest, or pass an adapter: ' +
      "conformance(subject, adapters.nodeTest()), or adapters.vitest(vitest) after `import * as vitest from 'vitest'`",
  );
}

interface Skippable {
  skip(reason?: string): unknown;
}
/** mocha's context is an object, vitest's a function. */
const canSkip = (value: unknown): value is Skippable =>
  (typeof value === 'object' || typeof value === 'function') &&
  value !== null &&
  'skip' in value &&
  typeof value.skip === 'function';

/** Ends a test that runs as skipped: by mocha's context, by vitest's, or, in jest, which has no way to, with a line. */
function skipRunning(title: string, reason: string, context: unknown, first: unknown): void {
  if (canSkip(first)) first.skip(reason);
  else if (canSkip(context)) {
    // mocha has no place for a reason but the title.
    if ('test' in context && typeof context.test === 'object')
      Object.assign(context.test ?? {}, { title: reasoned(title, reason) });
    context.skip();
  } else console.info(`not run: ${reasoned(title, reason)}`);
}

const reasoned = (title: string, reason: string): string => `${title}: ${reason}`;

export const globals: TestAdapter = {
  describe(title, body) {
    const { describe } = runner();
    (describe.sequential ?? describe)(title, body);
  },
  it(title, body, { timeout, skip }) {
    const { it } = runner();
    if (skip !== undefined) {
      it.skip(reasoned(title, skip), () => Promise.resolve());
      return;
    }
    // No declared parameter: mocha and jest would take it for a callback.
    const test = it(
      title,
      async function (...args) {
        let reason: string | undefined;
        await body((why) => {
          reason = why;
        });
        if (reason !== undefined) skipRunning(title, reason, this, args[0]);
      },
      timeout,
    );
    test?.timeout?.(timeout);
  },
};
