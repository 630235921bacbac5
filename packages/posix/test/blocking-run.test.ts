import { expect } from 'chai';
import fc from 'fast-check';
import type { SyncOutcome } from '@vircommand/core/backend';
import { errno } from '../src/errno';
import type { Libc } from '../src/libc';
import { SIGKILL } from '../src/signal-numbers';
import { onEachDriver } from './drivers';
import { openDescriptors, pidsWith, shell, stateOf, through, until } from './started';

/** A duration that only this test waits for, so that its processes can be found. */
let unique = 1_000 * process.pid + 500;
const mark = (): string => String(unique++);
const took = (work: () => void): number => {
  const begun = performance.now();
  work();
  return performance.now() - begun;
};

describe('blocking run', () => {
  onEachDriver((libc) => {
    const { runBlocking } = through(libc);

    it('captures both streams and the status, and reaps', () => {
      const outcome = runBlocking(shell('echo out; echo err >&2; exit 3'));
      expect(outcome).to.include({ exitCode: 3, ending: 'exit', outputComplete: true, ended: 'none' });
      expect(String(outcome.stdout)).to.equal('out\n');
      expect(String(outcome.stderr)).to.equal('err\n');
      expect(stateOf(outcome.pid ?? 0)).to.equal(undefined);
      expect(runBlocking(['/bin/true'], {}, { stdout: { type: 'null' } }).stdout).to.equal(undefined);
    });

    it('writes and reads at the same time, whatever the sizes', () => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 3_000_000 }), (size) => {
          const input = Buffer.alloc(size);
          for (let at = 0; at + 4 <= size; at += 4) input.writeUInt32LE(at, at);
          const { stdout, outputComplete } = runBlocking(['/bin/cat'], { input });
          return outputComplete && stdout !== undefined && Buffer.compare(stdout, input) === 0;
        }),
        { numRuns: 30, examples: [[0], [65536], [131072], [131073]] },
      );
    });

    it('writes send buffers on descriptors of their own, and minds nobody who does not read', () => {
      const input = Buffer.alloc(200_000, 'x');
      const rest = { sendBuffers: [5, 9] } as const;
      const both = runBlocking(shell('cat <&9; cat <&5 | wc -c'), { sendBuffers: [input, Buffer.from('nine ')] }, rest);
      expect(String(both.stdout)).to.equal('nine 200000\n');
      expect(runBlocking(['/bin/true'], { input, sendBuffers: [input, input] }, rest).exitCode).to.equal(0);
    });

    it('keeps exactly as many bytes as are allowed', () => {
      const zeros = (count: number): string[] => shell(`head -c ${count} /dev/zero`);
      for (const size of [0, 1, 65_535, 65_536, 131_072, 1_000_000]) {
        expect(runBlocking(zeros(size), { limit: { stdout: size } })).to.include({
          ending: 'exit',
          outputComplete: true,
        });
        const over = runBlocking(zeros(size + 1), { limit: { stdout: size }, killDelay: 0 });
        expect(over).to.include({ ending: 'output-limit', exceeded: 'stdout', outputComplete: false });
        expect(over.stdout?.length).to.equal(size);
        const cut = runBlocking(zeros(size + 300_000), { limit: { stdout: size, onExceed: 'truncate' } });
        expect(cut).to.include({ ending: 'exit', exitCode: 0, outputComplete: false });
        expect(cut.stdout?.length).to.equal(size);
      }
      const total = runBlocking(shell('printf 123456; sleep 0.05; printf 123456 >&2; sleep 60'), {
        limit: { total: 10 },
      });
      expect(total).to.include({ ending: 'output-limit', exceeded: 'total', signal: 'SIGTERM' });
      expect(`${String(total.stdout)} ${String(total.stderr)}`).to.equal('123456 1234');
    });

    it('keeps the last bytes of a tail, counts them in no limit and waits for nobody who holds it', () => {
      const seconds = mark();
      const lines = 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i >&2; done';
      const script = `${lines}; sleep ${seconds} >/dev/null & exit 1`;
      const tail = { stderrTail: 20, limit: { stderr: 5, total: 5 }, drainDelay: 60_000 };
      const outcome = runBlocking(shell(script), tail);
      expect(String(outcome.stderr)).to.equal('line 2999\nline 3000\n');
      expect(outcome).to.include({ exitCode: 1, ending: 'exit', outputComplete: true });
      for (const pid of pidsWith(seconds)) process.kill(pid, 'SIGKILL');
    });

    it('keeps the deadline: SIGTERM, grace, SIGKILL', () => {
      const soft = runBlocking(['/bin/sleep', '60'], { timeout: 50 });
      expect(soft).to.include({ ending: 'timeout', signal: 'SIGTERM', ended: 'tree', outputComplete: true });
      /** With more time where it was not enough to come to what follows the trap. */
      const trapped = (script: string, killDelay: number): SyncOutcome => {
        for (let timeout = 50; ; timeout *= 4) {
          const outcome = runBlocking(shell(script), { timeout, killDelay });
          if (String(outcome.stdout) === 'ready\n' || timeout > 10_000) return outcome;
        }
      };
      const hard = trapped('trap "" TERM; echo ready; sleep 60', 50);
      expect(hard).to.include({ ending: 'timeout', signal: 'SIGKILL', ended: 'tree' });
      const polite = trapped('trap "exit 5" TERM; echo ready; while :; do sleep 0.01; done', 60_000);
      expect(polite).to.include({ ending: 'timeout', exitCode: 5 });
      const closed = runBlocking(shell('exec >&- 2>&-; sleep 60'), { timeout: 50 });
      expect(closed).to.include({ ending: 'timeout', signal: 'SIGTERM' });
      expect(runBlocking(['/bin/true'], { timeout: 60_000 })).to.include({ ending: 'exit', exitCode: 0 });
    });

    it('sleeps in poll until there is something to do', () => {
      let polls = 0;
      const counting: Libc = { ...libc, poll: (...args) => (polls++, libc.poll(...args)) };
      const script = 'exec sleep 0.3';
      expect(through(counting).runBlocking(shell(script))).to.include({ exitCode: 0 });
      expect(through(counting).runBlocking(shell(script), { timeout: 60_000 })).to.include({ exitCode: 0 });
      expect(polls).to.be.lessThan(20);
    });

    it('ends the tree: sessions of their own, double forks, stopped ones', () => {
      const seconds = mark();
      const script = `trap "" TERM; setsid sleep ${seconds} & (setsid sh -c 'trap "" TERM; sleep ${seconds} & sleep ${seconds}' &) ; sh -c 'kill -STOP $$; sleep ${seconds}' & sleep ${seconds}`;
      const outcome = runBlocking(shell(script), { timeout: 200, killDelay: 100 });
      expect(outcome).to.include({ ending: 'timeout', ended: 'tree', outputComplete: true });
      expect(pidsWith(seconds)).to.deep.equal([]);
    });

    it('has ended nobody who may not be signalled, though those below it may', () => {
      const [below, own] = [mark(), mark()];
      const isOwn = (pid: number): boolean => pidsWith(own).includes(Math.abs(pid));
      const unlike: Libc = {
        ...libc,
        kill: (pid, signal) => (isOwn(pid) ? -errno.EPERM : libc.kill(pid, signal)),
      };
      const script = `sleep ${below} & exec sh -c 'echo enough; kill -STOP $$' ${own}`;
      const bounds = { limit: { stdout: 1 }, killDelay: 0, drainDelay: 50 };
      const outcome = through(unlike).runBlocking(shell(script), bounds, { stderr: { type: 'null' } });
      expect(outcome).to.include({ ending: 'output-limit', ended: 'none', exitCode: undefined, signal: undefined });
      expect(pidsWith(below)).to.deep.equal([]);
      for (const pid of pidsWith(own)) libc.kill(pid, SIGKILL);
    });

    it('lets go of pipes that somebody else holds, with all that came before the exit', async () => {
      // Not for ever: this thread is blocked as long as it is waited for.
      const seconds = `120.${mark()}`;
      try {
        for (const drainDelay of [0, 100]) {
          const ms = took(() => {
            const outcome = runBlocking(shell(`sleep ${seconds} & echo hi`), { drainDelay });
            expect(outcome).to.include({ exitCode: 0, ending: 'exit', outputComplete: false, ended: 'none' });
            expect(String(outcome.stdout)).to.equal('hi\n');
          });
          expect(ms).to.be.greaterThan(drainDelay - 1);
        }
      } finally {
        for (const pid of pidsWith(seconds)) process.kill(pid, 'SIGKILL');
        await until(() => pidsWith(seconds).length === 0);
      }
    });

    it('leaves no descriptor, listener, timer or child', () => {
      runBlocking(['/bin/true']);
      const resources = (): string[] => process.getActiveResourcesInfo().filter((name) => name !== 'Immediate');
      const before = { fds: openDescriptors(), resources: resources() };
      for (let index = 0; index < 50; index++) {
        runBlocking(shell('cat; sleep 0.001; exit 1'), { input: Buffer.from('x'), timeout: 1000 });
        runBlocking(shell('yes'), { limit: { stdout: 10 }, killDelay: 0 });
      }
      expect({ fds: openDescriptors(), resources: resources() }).to.deep.equal(before);
      expect(process.listenerCount('SIGCHLD')).to.equal(0);
    });
  });
});
