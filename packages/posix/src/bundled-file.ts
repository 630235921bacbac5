/** Files of this package that are bundled when it is built: the same from the sources and from what is built. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Who bundles this package has them beside the bundle. */
export function bundledFile(name: 'launcher.js' | 'spawner-thread.js'): string {
  const own = resolve(__dirname, '../dist', name);
  return existsSync(own) ? own : resolve(__dirname, name);
}
