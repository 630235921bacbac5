import { spawnSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { backend, Command } from '@vircommand/child-process';
import type { ChildHandle, LaunchPlan } from '@vircommand/core/backend';
import { end, holdings, isAlive, pipe, planOf, textOf, turns, unchanged, until } from './plans';
import { program } from './programs';
import { stealNext } from './stolen';

const linux = process.platform === 'linux' ? { describe, it } : { describe: describe.skip, it: it.skip };
const sh = (script: string, overrides: Partial<LaunchPlan> = {}): LaunchPlan => planOf(['sh', '-c', script], overrides);

/** The pids that a program tells on its stdout, one in each line. */
async function pidsFrom(child: ChildHandle, count: number): Promise<number[]> {
  let text = '';
  const all = (): string[] => text.split('\n').slice(0, -1);
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await until(() => all().length >= count, `${count} pids are told`);
  return all().map(Number);
}

describe('a running program', () => {
  let held: string[] = [];
  beforeEach(() => {
    held = holdings();
  });
  afterEach(() => unchanged(held));

  it('has ended when it was reaped, also while somebody else holds its pipes', async () => {
    const child = await backend.start(sh('sleep 60 & echo $!', { stdout: pipe }));
    const pid = await pidsFrom(child, 1).then(([first]) => first!);
    expect(await child.exited).to.deep.equal({
      exitCode: 0,
      signal: undefined,
      coreDumped: undefined,
      usage: undefined,
    });
    expect(isAlive(pid)).to.equal(true);
    end(pid);
    child.dispose();
  });

  it('runs when the start resolves', async () => {
    const child = await backend.start(planOf(['sleep', '60']));
    const commandLine = (): string => readFileSync(`/proc/${child.pid!}/cmdline`, 'utf8');
    // The old one is gone a moment before the new one is there.
    await until(() => commandLine() !== '', 'it has a command line');
    expect(commandLine()).to.equal('sleep\x0060\0');
    child.dispose();
    expect((await child.exited).signal).to.equal('SIGKILL');
  });

  it('ends with this process from the turn on in which it is started, which is a later one if its output is merged', async () => {
    const none = process.listenerCount('exit');
    const counts: number[] = [];
    const look = (): void => queueMicrotask(() => counts.push(process.listenerCount('exit') - none));
    subscribe('child_process', look);
    const streams = { stdout: pipe, stderr: { type: 'same-as-stdout' } } as const;
    for (const merged of [{}, streams]) {
      const child = await backend.start(planOf(['sleep', '60'], { ...merged, killOnParentExit: 'best-effort' }));
      child.dispose();
      await child.exited;
    }
    unsubscribe('child_process', look);
    expect(counts).to.deep.equal([1, 1]);
  });

  it('signal() never throws: unknown names, unnamed signals, after the end', async () => {
    const child = await backend.start(sh('trap "exit 34" 34; echo $$; while :; do sleep 0.01; done', { stdout: pipe }));
    await pidsFrom(child, 1);
    expect(child.signal('SIGNOTHING' as 'SIGTERM', 'process')).to.deep.equal({ sent: false, reached: 'process' });
    expect(child.signal('SIG34', 'process')).to.deep.equal({ sent: true, reached: 'process' });
    expect((await child.exited).exitCode).to.equal(34);
    for (const target of ['process', 'tree'] as const) {
      expect(child.signal('SIGKILL', target)).to.deep.equal({ sent: false, reached: 'process' });
    }
    child.dispose();
    child.dispose();
  });

  linux.it('stays in our process group unless a session was asked for', async () => {
    const groupOf = (pid: number | 'self'): string[] => {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      return stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .slice(2, 4);
    };
    for (const group of ['auto', 'none'] as const) {
      const child = await backend.start(planOf(['sleep', '60'], { group }));
      expect(groupOf(child.pid!)).to.deep.equal(groupOf('self'));
      child.dispose();
      await child.exited;
    }
    const child = await backend.start(planOf(['sleep', '60'], { group: 'session' }));
    expect(groupOf(child.pid!)).to.deep.equal([String(child.pid), String(child.pid)]);
    child.dispose();
    await child.exited;
  });

  linux.describe('that somebody else has reaped', () => {
    for (const target of ['process', 'tree'] as const) {
      it(`has an end of which nothing is known, once a signal to the ${target} finds that out`, async () => {
        const gone = new Promise<void>((resolve) => stealNext(resolve));
        const child = await backend.start(planOf(['true'], { killOnParentExit: 'best-effort' }));
        await gone;
        expect(child.signal('SIGTERM', target)).to.deep.equal({ sent: false, reached: 'process' });
        expect(await child.exited).to.deep.equal({
          exitCode: undefined,
          signal: undefined,
          coreDumped: undefined,
          usage: undefined,
        });
        child.dispose();
      });
    }

    it('is what Node has not told yet in the turn in which it reaps several', async () => {
      const children = [await backend.start(sh('exit 3')), await backend.start(sh('exit 3'))];
      // Both are zombies when the loop turns.
      const end = Date.now() + 10_000;
      while (children.some(({ pid }) => isAlive(pid!)) && Date.now() < end);
      const statuses = children.map(async (child) => {
        const { exitCode } = await child.exited;
        for (const other of children) expect(other.signal('SIGKILL', 'process').sent).to.equal(false);
        return exitCode;
      });
      expect(await Promise.all(statuses)).to.deep.equal([3, 3]);
    });
  });

  it('a descendant that still reads is fed after the program’s exit', async () => {
    const child = await backend.start(sh('exec 3<&0; (cat <&3) & exit 0', { stdin: pipe, stdout: pipe }));
    await child.exited;
    await turns();
    child.stdin?.end('late words');
    expect(await textOf(child.stdout)).to.equal('late words');
  });

  linux.describe('the whole tree', () => {
    const trees: Record<string, { script: string; count: number }> = {
      children: { script: 'sleep 60 & echo $!; sleep 60 & echo $!; wait', count: 2 },
      'grandchildren in sessions of their own': {
        script: 'setsid sh -c "echo \\$\\$; sleep 60 & echo \\$!; wait" & setsid sleep 60 & echo $!; wait',
        count: 3,
      },
      'a stopped descendant': { script: 'sleep 60 & p=$!; kill -STOP $p; echo $p; wait', count: 1 },
      'who is deaf to SIGTERM': { script: 'trap "" TERM; sh -c "echo \\$\\$; sleep 60" & wait', count: 1 },
    };
    for (const [title, { script, count }] of Object.entries(trees)) {
      for (const group of ['auto', 'session'] as const) {
        it(`SIGKILL reaches ${title} (group: ${group})`, async () => {
          const child = await backend.start(sh(script, { stdout: pipe, group }));
          const pids = await pidsFrom(child, count);
          for (const pid of pids) expect(isAlive(pid), String(pid)).to.equal(true);
          expect(child.signal('SIGKILL', 'tree')).to.deep.equal({ sent: true, reached: 'tree' });
          await until(() => !pids.some(isAlive), 'nobody is alive');
          await child.exited;
          await until(() => child.treeAlive?.() === false, 'the tree is over');
          child.dispose();
        });
      }
    }

    it('SIGKILL reaches a descendant that only its parents give away', async () => {
      // No pipe, no group, no session in common: when its parents are dead nobody can tell whose it was.
      const seconds = 100_000 + (process.pid % 10_000);
      const child = await backend.start(sh(`setsid sh -c 'setsid sleep ${seconds} & wait' & wait`));
      const found = (): number[] => pidsOf(`sleep\0${seconds}\0`);
      await until(() => found().length === 1, 'the sleep runs');
      child.dispose();
      await until(() => found().length === 0, 'the sleep is gone');
      await child.exited;
    });

    it('SIGTERM goes once to everybody, also in a session', async () => {
      const counter =
        'n=0; trap "n=\\$((n+1))" TERM; echo $$; while test $n = 0; do sleep 0.01; done; sleep 0.1; exit $n';
      for (const group of ['auto', 'session'] as const) {
        const script = 'trap : TERM; sh -c "$1" & wait; wait $!';
        const child = await backend.start(planOf(['sh', '-c', script, 'sh', counter], { stdout: pipe, group }));
        await pidsFrom(child, 1);
        expect(child.signal('SIGTERM', 'tree')).to.deep.equal({ sent: true, reached: 'tree' });
        expect((await child.exited).exitCode).to.equal(1);
        child.dispose();
      }
    });

    it('a fork storm of 200 ends', async () => {
      const storm = 'i=0; while test $i -lt 200; do sleep 60 & i=$((i+1)); done; echo 1; while :; do sleep 60 & done';
      const child = await backend.start(
        sh(`ulimit -u 4000; ${storm}`, { stdout: pipe, stderr: { type: 'null' }, group: 'session' }),
      );
      await pidsFrom(child, 1);
      const group = child.pid!;
      child.dispose();
      await child.exited;
      await until(() => membersOf(group).length === 0, 'nobody of the session is left');
    });

    it('is found by a pipe that it holds, also where this process gets the orphans', async function () {
      const namespace = ['--pid', '--fork', '--kill-child', '--mount-proc'];
      if (spawnSync('unshare', [...namespace, 'true']).status !== 0) this.skip();
      const { file, args } = program('first-process');
      const { stdout } = await new Command('unshare', [...namespace, file, ...args], { stdout: 'text' }).run();
      expect(JSON.parse(stdout)).to.deep.equal({ pid: 1, ended: 'tree', alive: false });
    });

    it('gets SIGKILL after the grace, also if there is no descriptor left to read /proc with', async () => {
      const { file, args } = program('blind-end');
      const line = 'ulimit -n 100; exec "$0" "$@"';
      const { stdout } = await new Command('sh', ['-c', line, file, ...args], { stdout: 'text' }).run();
      // Who was forked in the grace would not have been found.
      expect(JSON.parse(stdout)).to.deep.equal({ ended: 'process', signal: null });
    });
  });
});

const allPids = (): number[] => readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));

function pidsOf(commandLine: string): number[] {
  return allPids().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1') === commandLine && isAlive(pid);
    } catch {
      return false;
    }
  });
}

function membersOf(session: number): number[] {
  return allPids().filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(fields[3]) === session && fields[0] !== 'Z';
    } catch {
      return false;
    }
  });
}
