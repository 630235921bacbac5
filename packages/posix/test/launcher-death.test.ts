import { expect } from 'chai';
import { bundled, bundledEnv, removeBundled } from './bundled';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readPathIfLocked } from '../src/pidfile';
import { stateOf, statOf, until } from './started';

/** Processes of a session, by the session's number. */
function members(session: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      const stat = statOf(pid);
      return stat?.session === session && stat.state !== 'Z';
    });
}

/** How the kernel prefers to kill what a starter begins: nothing else has it, and no fork, session or exec changes it. */
const mark = String(500 + (process.pid % 500));

/** Whether all that starters have begun has become the program that waits, or has ended. */
function decided(): boolean {
  return readdirSync('/proc').every((name) => {
    try {
      if (readFileSync(`/proc/${Number(name)}/oom_score_adj`, 'latin1').trim() !== mark) return true;
      return stateOf(Number(name)) === 'Z' || readFileSync(`/proc/${name}/cmdline`, 'latin1').startsWith('sleep\0');
    } catch {
      return true;
    }
  });
}

/** Starts a starter, and kills it at a moment that differs from round to round: a launcher takes some 30 ms. */
async function killedStarter(directory: string, what: 'child' | 'daemon', round: number): Promise<number> {
  const marked = ['-c', `echo ${mark} >/proc/self/oom_score_adj && exec "$@"`, 'sh', process.execPath];
  const starter = spawn('/bin/sh', [...marked, bundled('starter'), directory, what], {
    env: bundledEnv(),
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const gone = once(starter, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  await once(starter.stdout, 'data');
  await delay((round * 7) % 60);
  starter.kill('SIGKILL');
  // By us, and not by an error of its own.
  expect(await gone).to.deep.equal([null, 'SIGKILL']);
  return starter.pid ?? 0;
}

const expected = /^Umask:\t0017\nUid:(\t\d+){4}\nGid:(\t\d+){4}\nGroups:.*\nCapBnd:\t\w+\nNoNewPrivs:\t1\n$/;

describe('killing the caller', function () {
  this.timeout(300_000);
  const rounds = Number(process.env.VIRCOMMAND_KILL_ROUNDS ?? 30);
  let directory: string;
  after(removeBundled);
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'launcher-death-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it('ends the program with it, as asked, at whatever moment of the start', async () => {
    const seen = { never: 0, ran: 0 };
    for (let round = 0; round < rounds; round++) {
      const session = await killedStarter(directory, 'child', round);
      await until(() => members(session).length === 0);
      const file = join(directory, '0');
      if (existsSync(file)) expect(readFileSync(file, 'latin1')).to.match(expected);
      seen[existsSync(file) ? 'ran' : 'never']++;
      for (const name of readdirSync(directory)) rmSync(join(directory, name));
    }
    expect(seen.never + seen.ran).to.equal(rounds);
  });

  it('ends a launcher whose hook waits, too', async () => {
    const hooks = require.resolve('./programs/hooks.cjs');
    const starter = spawn(process.execPath, [bundled('starter'), directory, hooks], {
      env: bundledEnv(),
      stdio: 'ignore',
      detached: true,
    });
    const gone = once(starter, 'exit');
    await until(() => existsSync(join(directory, 'waits')));
    starter.kill('SIGKILL');
    expect(await gone).to.deep.equal([null, 'SIGKILL']);
    await until(() => members(starter.pid ?? 0).length === 0);
    expect(readdirSync(directory)).to.deep.equal(['waits']);
  });

  it('leaves a whole daemon with its locked pid file, or nothing', async () => {
    for (let round = 0; round < rounds; round++) {
      await killedStarter(directory, 'daemon', round);
      const pidFiles = (): string[] => readdirSync(directory).filter((name) => name.endsWith('.pid'));
      // The starter is dead, its launchers may be at any step: a pid file that is not there yet can be in a moment.
      await until(() => decided());
      for (const name of pidFiles()) {
        const pid = readPathIfLocked(join(directory, name));
        if (pid === undefined) continue;
        expect(readFileSync(join(directory, name.slice(0, -4)), 'latin1')).to.match(expected);
        process.kill(pid, 'SIGKILL');
      }
      await until(() => pidFiles().every((name) => readPathIfLocked(join(directory, name)) === undefined));
      for (const name of readdirSync(directory)) rmSync(join(directory, name), { force: true });
    }
  });
});
