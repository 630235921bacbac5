/**
 * Loads drivers in a way that bundlers do not follow: a binary cannot be bundled, most drivers are not there, and one that is
 * missing is no reason for a build, or for the load of a bundle, to fail. So Node looks for them, from the bundle if there is one.
 */
import { createRequire } from 'node:module';
import { ownFile } from '../own-file';

/** Not made before it is needed. @throws Error where this is in no file. */
export const requireFromHere = (): NodeJS.Require => createRequire(ownFile());
