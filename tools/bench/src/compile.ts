/** C sources of this package, each compiled once per process, where there is a compiler. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { NotHere } from './case';

/** Where the programs of the agents are. */
export const sources = path.join(__dirname, '..', 'src', 'agents');

let directory: string | undefined;
const compiled = new Map<string, string>();

/** The path of the program. @throws NotHere */
export function compile(source: string, ...flags: readonly string[]): string {
  const key = [source, ...flags].join(' ');
  const known = compiled.get(key);
  if (known !== undefined) return known;
  if (directory === undefined) {
    const made = (directory = mkdtempSync(path.join(tmpdir(), 'vircommand-bench-')));
    process.once('exit', () => {
      rmSync(made, { recursive: true, force: true });
    });
  }
  const program = path.join(directory, `${path.parse(source).name}-${compiled.size}`);
  const args = ['-O2', ...flags, '-o', program, path.join(sources, source)];
  const { error, status, stderr } = spawnSync('cc', args, { encoding: 'utf8' });
  if (error !== undefined) throw new NotHere('no C compiler (cc)');
  if (status !== 0) throw new NotHere(stderr.trim().split('\n')[0] ?? 'cc failed');
  compiled.set(key, program);
  return program;
}
