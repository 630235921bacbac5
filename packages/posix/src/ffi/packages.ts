/**
 * Loads drivers in a way that bundlers do not follow: a binary cannot be bundled, most drivers are not there, and one that is
 * missing is no reason for a build, or for the load of a bundle, to fail. So Node looks for them, from the bundle if there is one.
 */
import { createRequire } from 'node:module';

/** Not made before it is needed. @throws Error in a bundle of ES modules, which may have no `__filename`. */
export function requireFromHere(): NodeJS.Require {
  if (typeof __filename === 'undefined') {
    throw new Error('a bundle of ES modules must define __filename, or leave @vircommand/posix out');
  }
  return createRequire(__filename);
}
