/** What no library can beat: a loop in C around `posix_spawn`, compiled where there is a compiler. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { figure, NotHere, type Subject } from './case';

const source = path.join(__dirname, '..', 'src', 'limit.c');

/** Starts `program` and waits for it, in C. */
export function limitSubject(program: string): Subject {
  let ask: (() => Promise<number>) | undefined;
  return {
    name: 'posix_spawn in C',
    role: 'limit',
    async setup() {
      const directory = mkdtempSync(path.join(tmpdir(), 'vircommand-bench-'));
      const binary = path.join(directory, 'limit');
      const compiled = spawnSync('cc', ['-O2', '-o', binary, source], { encoding: 'utf8' });
      if (compiled.error !== undefined || compiled.status !== 0) {
        rmSync(directory, { recursive: true });
        throw new NotHere(compiled.error === undefined ? compiled.stderr.trim() : 'no C compiler (cc)');
      }
      // It stays, so that what is measured is one start after the other, as in the other subjects.
      const child = spawn(binary, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
      await once(child, 'spawn');
      ask = async () => {
        child.stdin.write('\n');
        const [answer] = (await once(child.stdout, 'data')) as [Buffer];
        return Number(answer.toString());
      };
      return async () => {
        const gone = once(child, 'exit');
        child.stdin.end();
        await gone;
        rmSync(directory, { recursive: true });
      };
    },
    run: async () => figure(((await ask?.()) ?? NaN) / 1e6),
  };
}
