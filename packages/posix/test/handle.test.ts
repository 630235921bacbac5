import fs, { existsSync, readFileSync, readlinkSync } from 'node:fs';
import net from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { errno } from '../src/errno';
import type { Libc } from '../src/libc';
import { LINUX } from '../src/linux';
import { SIGKILL } from '../src/signal-numbers';
import { onEachDriver } from './drivers';
import { captured, disposeStarted, openDescriptors, pidsWith, shell, stateOf, through, until } from './started';

/** A duration that only this test waits for, so that its processes can be found. */
let unique = 1_000 * process.pid;
const mark = (): string => String(unique++);

describe('handle', () => {
  // Also after a test that failed: others look for what is left.
  afterEach(disposeStarted);

  onEachDriver((libc) => {
    const { start } = through(libc);
    const inWorker: Libc = { ...libc, isMainThread: false };

    it('gives streams where the plan has pipes, and closes all that nobody took', async () => {
      const before = openDescriptors();
      const handle = start(['/bin/cat'], { stdin: { type: 'pipe' } });
      handle.stdin?.end('through');
      expect(handle.stdout && (await text(handle.stdout))).to.equal('through');
      expect(handle.stdout).to.equal(handle.stdout);
      await handle.exited;
      handle.dispose();
      await until(() => openDescriptors() <= before);
      const none = start(['/bin/true'], { stdout: { type: 'null' } });
      expect(none.stdout).to.equal(undefined);
      expect(none.stdin).to.equal(undefined);
      await none.exited;
      none.dispose();
      none.dispose();
      await until(() => openDescriptors() <= before);
    });

    for (const [where, libcThere] of Object.entries({ '': libc, ', in a worker thread': inWorker })) {
      it(`closes the pipes whose streams cannot be made${where}`, async () => {
        const { start } = through(libcThere);
        // What the first start opens for all is no leak.
        const first = start(['/bin/true'], { stdout: { type: 'null' }, stderr: { type: 'null' } });
        await first.exited;
        first.dispose();
        await turn();
        const before = openDescriptors();
        const handle = start(['/bin/cat'], { stdin: { type: 'pipe' }, sendBuffers: [4, 5] });
        const { Socket } = net;
        const no = new Error('no memory');
        net.Socket = function () {
          throw no;
        } as unknown as typeof Socket;
        try {
          for (const name of ['stdin', 'stdout', 'stderr', 'sendBuffers'] as const)
            expect(() => handle[name]).to.throw(no);
        } finally {
          net.Socket = Socket;
        }
        expect(openDescriptors()).to.be.greaterThan(before);
        handle.dispose();
        await until(() => openDescriptors() <= before);
      });
    }

    it('takes no number of others from a faked file system, in a worker thread', async () => {
      const { openSync, closeSync } = fs;
      const other = openSync('/dev/null', 'r');
      Object.assign(fs, { openSync: () => other, closeSync: () => undefined });
      try {
        const handle = through(inWorker).start(shell('echo through'));
        expect((await captured(handle)).toString()).to.equal('through\n');
        await handle.exited;
        handle.dispose();
        expect(readlinkSync(`/proc/self/fd/${other}`)).to.equal('/dev/null');
      } finally {
        Object.assign(fs, { openSync, closeSync });
        closeSync(other);
      }
    });

    it('needs no file system for its pipes: a faked one knows none of them', async () => {
      const { fstatSync } = fs;
      const unknown = (): never => {
        throw new Error('EBADF, bad file descriptor');
      };
      Object.assign(fs, { fstatSync: unknown });
      try {
        const handle = through(libc).start(shell('echo through'));
        expect((await captured(handle)).toString()).to.equal('through\n');
        await handle.exited;
        handle.dispose();
      } finally {
        Object.assign(fs, { fstatSync });
      }
    });

    it('captures on where a worker thread has no number for the event loop', async () => {
      let refused = 0;
      const full: Libc = {
        ...inWorker,
        fcntl(fd, command, argument) {
          if (command !== LINUX.F_DUPFD_CLOEXEC || refused === 3) return libc.fcntl(fd, command, argument);
          refused++;
          return -errno.EMFILE;
        },
      };
      const before = openDescriptors();
      const handle = through(full).start(shell('echo a; cat; echo b'), { stdin: { type: 'pipe' } });
      const output = captured(handle);
      await until(() => refused === 3);
      handle.stdin?.end('through ');
      expect((await output).toString()).to.equal('a\nthrough b\n');
      await handle.exited;
      handle.dispose();
      await until(() => openDescriptors() <= before);
    });

    it('tells a writer that nobody reads by one error, and keeps the process', async () => {
      const handle = start(['/bin/true'], { stdin: { type: 'pipe' } });
      await handle.exited;
      const errors: unknown[] = [];
      handle.stdin?.on('error', (error) => errors.push(error));
      handle.stdin?.end('nobody');
      await until(() => handle.stdin?.closed === true);
      expect(errors).to.have.length(1);
      expect(errors[0]).to.have.property('code', 'EPIPE');
      handle.dispose();
    });

    it('stops the program when a stream is paused, and loses nothing', async () => {
      const handle = start(shell('head -c 1000000 /dev/zero; echo done >&2'));
      const { stdout } = handle;
      const late = captured(handle, 'stderr');
      let bytes = 0;
      stdout?.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        stdout.pause();
        setImmediate(() => stdout.resume());
      });
      await handle.exited;
      expect((await late).toString()).to.equal('done\n');
      await until(() => bytes === 1_000_000);
      handle.dispose();
    });

    it('captures large and slow output whole', async () => {
      const handle = start(shell('head -c 3000000 /dev/zero; sleep 0.05; printf end'));
      const output = await captured(handle);
      expect(output.length).to.equal(3_000_003);
      expect(output.subarray(-3).toString()).to.equal('end');
      await handle.exited;
      handle.dispose();
    });

    it('asks for large pages where a large output will be', async function () {
      if (!existsSync('/sys/kernel/mm/transparent_hugepage')) this.skip();
      const handle = start(['/bin/true']);
      const memory = Buffer.allocUnsafeSlow(40 << 20);
      handle.expectOutput?.(memory);
      const middle = libc.driver.address(memory) + (20 << 20);
      const flags = /[0-9a-f]+-[0-9a-f]+ [^]*?VmFlags: (.*)/g;
      const regions = Array.from(readFileSync('/proc/self/smaps', 'latin1').matchAll(flags), ([text, of = '']) => ({
        range:
          text
            .split(' ', 1)[0]
            ?.split('-')
            .map((address) => parseInt(address, 16)) ?? [],
        of,
      }));
      const found = regions.find(({ range: [begin = 0, end = 0] }) => begin <= middle && middle < end);
      expect(found?.of.split(' ')).to.include('hg');
      await handle.exited;
      handle.dispose();
    });

    it('stops a capture that is destroyed, at once and later', async () => {
      const before = openDescriptors();
      for (const delay of [0, 5]) {
        const handle = start(shell('while :; do echo; done'));
        let chunks = 0;
        const capture = handle.capture?.(
          'stdout',
          () => chunks++,
          () => {
            throw new Error('destroyed, not ended');
          },
        );
        await new Promise((resolve) => setTimeout(resolve, delay));
        capture?.destroy();
        const seen = chunks;
        expect((await handle.exited).signal).to.equal('SIGPIPE');
        expect(chunks).to.equal(seen);
        handle.dispose();
      }
      await until(() => openDescriptors() <= before);
    });

    it('never signals what is over', async () => {
      const handle = start(['/bin/true']);
      await handle.exited;
      expect(stateOf(handle.pid ?? 0)).to.equal(undefined);
      expect(handle.signal('SIGKILL', 'process').sent).to.equal(false);
      expect(handle.signal('SIGKILL', 'tree').sent).to.equal(false);
      expect(handle.signal('SIGNONE' as never, 'process').sent).to.equal(false);
      handle.dispose();
    });

    it('reaches the tree: group, sessions of their own, double forks, stopped ones', async () => {
      const seconds = mark();
      const script = `sleep ${seconds} & setsid sleep ${seconds} & (setsid sh -c 'sleep ${seconds} & sleep ${seconds}' &) ; sh -c 'kill -STOP $$; sleep ${seconds}' & sleep ${seconds}`;
      const handle = start(shell(script));
      await until(() => pidsWith(seconds).length === 5);
      expect(handle.signal('SIGKILL', 'tree')).to.deep.equal({ sent: true, reached: 'tree' });
      expect((await handle.exited).signal).to.equal('SIGKILL');
      await until(() => pidsWith(seconds).length === 0);
      // Shells are of the tree, too.
      await until(() => handle.treeAlive?.() === false);
      handle.dispose();
    });

    it('pins the numbers of a program while its tree lives on after a signal', async () => {
      const seconds = mark();
      const ready = mark();
      const handle = start(
        shell(`trap "" TERM; sleep ${seconds} & trap "exit 4" TERM; sleep ${ready} & while :; do sleep 0.01; done`),
      );
      await until(() => pidsWith(seconds).length === 1 && pidsWith(ready).length === 1);
      handle.signal('SIGTERM', 'tree');
      expect((await handle.exited).exitCode).to.equal(4);
      expect(handle.treeAlive?.()).to.equal(true);
      expect(stateOf(handle.pid ?? 0)).to.equal('Z');
      expect(handle.signal('SIGKILL', 'tree').sent).to.equal(true);
      expect(stateOf(handle.pid ?? 0)).to.equal(undefined);
      await until(() => handle.treeAlive?.() === false);
      handle.dispose();
    });

    it('is reaped when dispose() returns, with everything that came from it', async () => {
      const seconds = mark();
      const before = openDescriptors();
      const handle = start(shell(`trap "" TERM HUP INT; sleep ${seconds} & sleep ${seconds}`), {
        stdin: { type: 'pipe' },
      });
      handle.dispose();
      expect(stateOf(handle.pid ?? 0)).to.equal(undefined);
      expect(openDescriptors()).to.equal(before);
      await until(() => process.listenerCount('SIGCHLD') === 0);
    });

    it('is not waited for by dispose() where it may not be signalled, though those below it may', async () => {
      const seconds = mark();
      let program = 0;
      let waits = 0;
      const unlike: Libc = {
        ...libc,
        kill: (pid, signal) => (Math.abs(pid) === program ? -errno.EPERM : libc.kill(pid, signal)),
        poll(set, count, ms) {
          waits += Number(ms > 100);
          return libc.poll(set, count, Math.min(ms, 100));
        },
      };
      const handle = through(unlike).start(shell(`sleep ${seconds} & wait; kill -STOP $$`));
      program = handle.pid ?? 0;
      await until(() => pidsWith(seconds).length === 1);
      handle.dispose();
      expect(waits).to.equal(0);
      await until(() => pidsWith(seconds).length === 0);
      expect(stateOf(program)).not.to.equal(undefined);
      libc.kill(program, SIGKILL);
    });

    it('registers one listener for those that must not outlive the process', async () => {
      const before = process.listenerCount('exit');
      const first = start(['/bin/cat'], { killOnParentExit: 'best-effort', stdin: { type: 'pipe' } });
      const second = start(['/bin/cat'], { killOnParentExit: 'best-effort', stdin: { type: 'pipe' } });
      expect(process.listenerCount('exit')).to.equal(before + 1);
      first.dispose();
      second.stdin?.end();
      await second.exited;
      second.dispose();
      expect(process.listenerCount('exit')).to.equal(before);
    });
  });
});
