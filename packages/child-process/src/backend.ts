/** The backend over `node:child_process`. */
import type { Backend } from '@vircommand/core/backend';
import { featuresOf } from './features';
import { start } from './start';
import { startAndWaitSync } from './sync';

/**
 * Starts programs with `node:child_process`, wherever Node runs. It declares what Node can really do; in particular it
 * cannot close descriptors that other code opened without close-on-exec, and a synchronous run has no deadline.
 */
export const backend: Backend = Object.freeze({
  contract: 1 as const,
  name: 'child-process',
  features: featuresOf(process.platform),
  start,
  startAndWaitSync,
});
