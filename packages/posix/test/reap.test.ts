import { execFile } from 'node:child_process';
import { expect } from 'chai';
import { watchExit } from '../src/reap';
import { startProcess } from '../src/spawn';
import { onEachDriver } from './drivers';
import { captured, openDescriptors, planFor, shell, stateOf, through, until } from './started';

const quiet = { stdout: { type: 'null' }, stderr: { type: 'null' } } as const;
const leftovers = (): string[] => process.getActiveResourcesInfo().filter((name) => /Pipe|Signal|Immediate/.test(name));

describe('reaper', () => {
  onEachDriver((libc) => {
    const { start } = through(libc);

    it('reports exit codes, signals and resource usage', async () => {
      expect(await start(shell('exit 7'), quiet).exited).to.include({ exitCode: 7, signal: undefined });
      const killed = await start(shell('kill -KILL $$'), quiet).exited;
      expect(killed).to.include({ exitCode: undefined, signal: 'SIGKILL', coreDumped: false });
      expect(await start(shell('kill -35 $$'), quiet).exited).to.include({ signal: 'SIG35' });
      const busy = await start(shell('i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'), quiet).exited;
      expect(busy.usage?.userMs).to.be.greaterThan(1);
      expect(busy.usage?.voluntaryContextSwitches).to.be.a('number');
    });

    it("reports the peak of memory only where it is the program's own", async () => {
      expect((await start(['/bin/true'], quiet).exited).usage?.maxRssKiB).to.equal(undefined);
      const bytes = process.resourceUsage().maxRSS * 1024 + (64 << 20);
      const large = await start(shell(`head -c ${bytes} /dev/zero | tail -c ${bytes} | wc -c`), quiet).exited;
      expect(large.usage?.maxRssKiB).to.be.greaterThan(bytes / 1024);
    });

    it('leaves no listener, timer, descriptor or zombie when nothing runs', async () => {
      await start(['/bin/true'], quiet).exited;
      // What tells of exits where no signal has come yet is let go of in a later turn.
      await until(() => process.listenerCount('SIGCHLD') === 0);
      const [fds, resources] = [openDescriptors(), leftovers()];
      const handles = Array.from({ length: 20 }, (_, index) => start(shell(`exit ${index}`), quiet));
      expect(process.listenerCount('SIGCHLD')).to.equal(1);
      const codes = (await Promise.all(handles.map(({ exited }) => exited))).map(({ exitCode }) => exitCode);
      expect(codes).to.deep.equal(Array.from({ length: 20 }, (_, index) => index));
      await until(() => process.listenerCount('SIGCHLD') === 0);
      await until(() => leftovers().length <= resources.length && openDescriptors() <= fds);
      for (const { pid } of handles) expect(stateOf(pid ?? 0)).to.equal(undefined);
    });

    it('takes no exit of node:child_process, and loses none beside it', async function () {
      this.timeout(60_000);
      const theirs: Promise<number>[] = [];
      const ours: Promise<number | undefined>[] = [];
      const wanted: number[] = [];
      for (let round = 0; round < 10; round++) {
        for (let index = 0; index < 40; index++) {
          const code = (round * 40 + index) % 100;
          wanted.push(code);
          ours.push(start(shell(`exit ${code}`), quiet).exited.then(({ exitCode }) => exitCode));
          if (index % 2 === 0) {
            theirs.push(
              new Promise((resolve) => {
                execFile('/bin/sh', ['-c', `exit ${code}`]).once('exit', (exit) => {
                  resolve(exit === code ? 0 : 1);
                });
              }),
            );
          }
        }
        await Promise.all([...ours, ...theirs]);
      }
      expect(await Promise.all(ours)).to.deep.equal(wanted);
      expect((await Promise.all(theirs)).filter((wrong) => wrong !== 0)).to.deep.equal([]);
    });

    it("reaps hundreds at once, also behind a zombie that is somebody else's", async function () {
      this.timeout(60_000);
      const foreign = startProcess(planFor(['/bin/true'], quiet), libc).pid;
      await until(() => stateOf(foreign) === 'Z');
      try {
        const handles = Array.from({ length: 300 }, () => start(['/bin/cat'], { ...quiet, stdin: { type: 'pipe' } }));
        for (const { stdin } of handles) stdin?.end();
        for (const { exitCode } of await Promise.all(handles.map(({ exited }) => exited))) expect(exitCode).to.equal(0);
        expect(stateOf(foreign)).to.equal('Z');
      } finally {
        libc.wait4(foreign, null, 0, null);
      }
    });

    it('notices exits after all listeners of the process were removed', async () => {
      const slow = start(['/bin/sleep', '0.2'], quiet);
      const others = process.listeners('SIGCHLD').length;
      const kept = process.rawListeners('SIGCHLD');
      expect(others).to.equal(1);
      process.removeAllListeners('SIGCHLD');
      const next = start(shell('exit 3'), quiet);
      expect((await next.exited).exitCode).to.equal(3);
      expect((await slow.exited).exitCode).to.equal(0);
      await until(() => !process.listeners('SIGCHLD').some((listener) => kept.includes(listener)));
      const again = start(['/bin/sleep', '0.1'], quiet);
      process.removeAllListeners('SIGCHLD');
      expect((await again.exited).exitCode).to.equal(0);
    });

    it('ends with an unknown status when somebody else took it', async () => {
      const { pid } = startProcess(planFor(['/bin/true'], quiet), libc);
      await until(() => stateOf(pid) === 'Z');
      libc.wait4(pid, null, 0, null);
      const status = await new Promise((resolve) => watchExit(libc, pid, resolve));
      expect(status).to.deep.equal({ exitCode: undefined, signal: undefined, coreDumped: undefined, usage: undefined });
    });

    it('keeps the zombie, and so its numbers, until it is told to reap', async () => {
      const { pid } = startProcess(planFor(['/bin/true'], quiet), libc);
      const watch = await new Promise<ReturnType<typeof watchExit>>((resolve) => {
        const made: ReturnType<typeof watchExit> = watchExit(libc, pid, () => {
          resolve(made);
        });
      });
      expect(stateOf(pid)).to.equal('Z');
      watch.reap();
      watch.reap();
      expect(stateOf(pid)).to.equal(undefined);
      await until(() => process.listenerCount('SIGCHLD') === 0);
    });

    it('has read what a program wrote before its exit is told', async () => {
      const handle = start(shell('echo before'));
      const output = captured(handle);
      let exited = false;
      void handle.exited.then(() => (exited = true));
      expect((await output).toString()).to.equal('before\n');
      await handle.exited;
      expect(exited).to.equal(true);
      handle.dispose();
    });
  });
});
