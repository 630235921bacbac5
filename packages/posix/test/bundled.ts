/** Programs of the tests in one file each, where they are started often or by other users, who must be able to read them. */
import { chmodSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

let directory: string | undefined;
const built = new Map<string, string>();

/** The file of a program of `programs`. */
export function bundled(name: string): string {
  if (directory === undefined) {
    directory = mkdtempSync(join(tmpdir(), 'vircommand-program-'));
    chmodSync(directory, 0o755);
    for (const name of ['vircommand-launcher.cjs', 'vircommand-spawner-thread.cjs']) {
      symlinkSync(resolve(__dirname, '..', 'dist', name), join(directory, name));
    }
  }
  let outfile = built.get(name);
  if (outfile === undefined) {
    built.set(name, (outfile = join(directory, `${name}.js`)));
    buildSync({
      entryPoints: [join(__dirname, 'programs', name + '.ts')],
      outfile,
      bundle: true,
      platform: 'node',
      conditions: ['@vircommand/source'],
      logLevel: 'error',
    });
  }
  return outfile;
}

/** With the packages that are not in the file. */
export const bundledEnv = (): NodeJS.ProcessEnv => ({
  ...process.env,
  NODE_PATH: resolve(__dirname, '..', 'node_modules'),
});

/** To be called when the tests are over. */
export function removeBundled(): void {
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  directory = undefined;
  built.clear();
}
