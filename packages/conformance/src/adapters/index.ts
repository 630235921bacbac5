/** Ways to register the suite with test runners. */
import type { TestAdapter } from '../types';
import { globals } from './globals';
import { nodeTest } from './node-test';
import { vitest, type Vitest } from './vitest';

export type { Vitest };

/** By runner; the first one is the default. */
export const adapters: {
  /** mocha, jest, and vitest with `globals: true`. */
  readonly globals: TestAdapter;
  /** `node:test`. */
  readonly nodeTest: () => TestAdapter;
  /** vitest, handed `import * as vitest from 'vitest'`. */
  readonly vitest: (api: Vitest) => TestAdapter;
} = Object.freeze({ globals, nodeTest, vitest });
