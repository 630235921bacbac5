/** What programs get of this process's own streams, in processes of their own, whose streams are pipes, sockets or a terminal. */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundled, bundledEnv, removeBundled } from './bundled';

const hasScript = String(spawnSync('script', ['--version']).stdout).includes('util-linux');

describe('the streams of this process', function () {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'vircommand-inherit-'));
  });
  after(() => {
    rmSync(directory, { recursive: true });
    removeBundled();
  });

  /** @param line what a shell makes of the program, `"$@"` */
  function report(line: string, how: string, way = ''): unknown {
    const file = join(directory, 'report');
    rmSync(file, { force: true });
    const argv = [process.execPath, '--no-warnings', bundled('inherit'), file, how];
    // Those that are given are sockets, and the last stream of a terminal is a pipe of script(1).
    const { stderr } = spawnSync('sh', ['-c', line, 'sh', ...argv], {
      env: { ...bundledEnv(), VIRCOMMAND_WAY: way },
      timeout: 30_000,
      encoding: 'utf8',
    });
    try {
      return JSON.parse(readFileSync(file, 'latin1'));
    } catch {
      return stderr;
    }
  }
  const pipes = 'cat /dev/null | { { "$@" 2>&3 | cat; } 3>&1 >/dev/null; } | cat';
  const sockets = 'exec "$@"';
  const terminal = 'exec script -qec "$(printf "\'%s\' " "$@")" /dev/null';

  for (const [how, way] of [
    ['run', 'direct'],
    ['run', 'thread'],
    ['run', 'launcher'],
    ['runSync', 'direct'],
    ['runSync', 'launcher'],
  ] as const) {
    describe(`that are handed on by ${how}(), the way ${way}`, () => {
      it('stay nonblocking, and block in the program: pipes', () => {
        expect(report(pipes, how, way)).to.deep.equal({ before: [0, 1, 2], program: [], after: [0, 1, 2] });
      });

      it('block in the program and here: sockets', () => {
        expect(report(sockets, how, way)).to.deep.equal({ before: [0, 1, 2], program: [], after: [] });
      });

      (hasScript ? it : it.skip)('block in the program: a terminal', () => {
        const { before, program, after } = report(terminal, how, way) as Record<string, number[]>;
        expect(before).to.include(0);
        expect(program).to.deep.equal([]);
        expect(after).to.deep.equal(before);
      });
    });
  }

  it('block in a program that runs already when they are first used: pipes', () => {
    expect(report(pipes, 'later')).to.deep.equal({ before: [], program: [], after: [0, 1, 2] });
  });

  it('stay as they are when threads are made', () => {
    expect(report(pipes, 'threads')).to.deep.equal({ before: [], after: [] });
  });
});
