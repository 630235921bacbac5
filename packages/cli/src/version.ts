/** The version of this package. */
import { readFileSync } from 'node:fs';
import * as path from 'node:path';

export function version(): string {
  // The sources, the modules and the bundle lie at different depths below it.
  for (let directory = __dirname; ; directory = path.dirname(directory)) {
    try {
      return (JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8')) as { readonly version: string })
        .version;
    } catch (error) {
      if (directory === path.dirname(directory)) throw error;
    }
  }
}
