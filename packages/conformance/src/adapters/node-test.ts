/** Node's own test runner. */
import type { TestAdapter } from '../types';

export function nodeTest(): TestAdapter {
  // Not imported: other runners, and bundles, have nothing to load this by.
  const { describe, it } = process.getBuiltinModule('node:test');
  return {
    describe(title, body) {
      void describe(title, { concurrency: 1 }, body);
    },
    it(title, body, { timeout, skip }) {
      void it(title, { timeout, skip: skip ?? false }, async (t) => {
        let reason: string | undefined;
        await body((why) => {
          reason = why;
        });
        if (reason !== undefined) t.skip(reason);
      });
    },
  };
}
