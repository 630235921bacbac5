import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import {
  abortAll,
  CommandAbortedError,
  CommandExitError,
  CommandIoError,
  CommandStartError,
  CommandTimeoutError,
  OutputLimitError,
} from '@vircommand/core';
import { bindCommand, startError } from '@vircommand/core/backend';
import { rejection } from './caught';
import { fake, type FakeProgram } from './fake-backend';
import { turns } from './virtual-clock';

/** A program that does nothing by itself. */
const idle = (): void => undefined;

/** Keeps the event loop. */
function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** A start that takes until it is told to come. */
function pending() {
  let come = (): void => undefined;
  const made = fake(idle, {
    start: (program) =>
      new Promise((resolve) => {
        come = () => {
          resolve(program);
        };
      }),
  });
  return {
    made,
    come: () => {
      come();
    },
  };
}

describe('the life of a run', () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => {
    unhandled.push(reason);
  };
  before(() => process.on('unhandledRejection', note));
  after(async () => {
    await turns();
    process.off('unhandledRejection', note);
    expect(unhandled).to.deep.equal([]);
  });

  describe('an end by itself', () => {
    it('with 0 resolves with what was captured', async () => {
      const { Command, clock, program } = await captured((p) => p.write('stdout', 'out').write('stderr', 'err').exit());
      const result = await Command;
      expect(result).to.deep.include({ exitCode: 0, signal: undefined, stdout: 'out', stderr: 'err', pid: 100 });
      expect(result).to.deep.include({ timedOut: false, aborted: false, outputComplete: true, ended: 'none' });
      expect([clock.pending, program().signals]).to.deep.equal([0, []]);
    });

    async function captured(play: (program: FakeProgram) => void) {
      const made = fake(play);
      const run = new made.Command('x').setOutputBuffer().setErrorBuffer().run();
      await turns();
      return { Command: run, clock: made.clock, program: () => made.program };
    }

    it('with another exit code rejects, with the end of stderr that nobody asked for', async () => {
      const { Command } = fake((p) => p.write('stderr', 'why\n').exit(3));
      const error = await rejection(new Command('x', ['y']).run(), CommandExitError);
      expect(error).to.include({ code: 'ERR_COMMAND_EXIT', exitCode: 3, signal: undefined, stderrTail: 'why\n' });
      expect(error.message).to.equal('Command failed with exit code 3: x y\nwhy');
      expect(error.result.stderr).to.equal(undefined);
    });

    it('keeps the last 8 KiB of that, from a whole character on', async () => {
      const { Command } = fake((p) => p.write('stderr', 'é'.repeat(10_000) + 'x').exit(1));
      const error = await rejection(new Command('x').run(), CommandExitError);
      expect(error.stderrTail).to.equal('é'.repeat(4095) + 'x');
    });

    it('reports none of it where stderr was said to be null', async () => {
      const { Command, plan } = fakeOf((p) => p.write('stderr', 'why').exit(1));
      const error = await rejection(new Command('x', [], { stderr: 'null' }).run(), CommandExitError);
      expect([error.stderrTail, plan().stderr.type]).to.deep.equal(['', 'null']);
    });

    it('takes the end of stdout where both are one', async () => {
      const { Command } = fake((p) => p.write('stdout', 'both').exit(1));
      const run = new Command('x').setOutputBuffer().setErrorFd('stdout').run();
      expect((await rejection(run, CommandExitError)).stderrTail).to.equal('both');
    });

    it('check: false accepts an exit code and no signal; rawStatus() accepts both', async () => {
      const five = fake((p) => p.exit(5));
      expect((await new five.Command('x').run({ check: false })).exitCode).to.equal(5);
      const killed = fake((p) => p.exit('SIGSEGV'));
      const error = await rejection(new killed.Command('x').run({ check: false }), CommandExitError);
      expect(error).to.include({ code: 'ERR_COMMAND_SIGNAL', signal: 'SIGSEGV', exitCode: undefined });
      expect((await new killed.Command('x').rawStatus().run()).signal).to.equal('SIGSEGV');
    });

    it('without reading its stdin is no error', async () => {
      const { Command } = fake((p) => {
        p.stdin?.destroy(Object.assign(new Error('broken'), { code: 'EPIPE' }));
        p.exit();
      });
      expect((await new Command('x').setInputBuffer('a'.repeat(100_000)).run()).exitCode).to.equal(0);
    });

    it('a stdin that breaks otherwise than by EPIPE is an error of the run', async () => {
      const stalled = (program: FakeProgram): Promise<FakeProgram> => {
        program.stdin!.stalled = true;
        return Promise.resolve(program);
      };
      const { Command } = fake((p) => p.stdin?.destroy(Object.assign(new Error('bad'), { code: 'EIO' })), {
        start: stalled,
      });
      const error = await rejection(new Command('x').setInputBuffer('a').run(), CommandIoError);
      expect([error.stream, (error.cause as Error).message]).to.deep.equal(['stdin', 'bad']);
    });

    it('a broken stdout is an error of the run, with what came before', async () => {
      const { Command } = fake((p) => {
        p.write('stdout', 'some');
        setImmediate(() => p.stdout?.destroy(new Error('bad')));
      });
      const error = await rejection(new Command('x').setOutputBuffer().run(), CommandIoError);
      expect(error.result).to.include({ stdout: 'some', outputComplete: false });
    });

    it('stdin and send buffers arrive whole, and are closed', async () => {
      const made = fake((p) =>
        p.stdin?.writableFinished === true ? p.exit() : p.stdin?.once('finish', () => p.exit()),
      );
      await new made.Command('x')
        .setInputBuffer('in')
        .setSendBuffer(5, 'five')
        .setSendBuffer(6, new Uint8Array([0]))
        .run();
      const { stdin, sendBuffers } = made.program;
      expect([stdin?.text, sendBuffers.map(({ text }) => text)]).to.deep.equal(['in', ['five', '\0']]);
      expect([stdin?.writableEnded, made.plan.sendBuffers]).to.deep.equal([true, [5, 6]]);
    });
  });

  describe('pipes that somebody else holds', () => {
    it('are given up after drainDelay, and the program did succeed', async () => {
      const made = fake((p) => p.write('stdout', 'part').exit(0, 'pipes held'));
      const run = new made.Command('x').setOutputBuffer().run({ drainDelay: 300 });
      await made.clock.advance(299);
      expect(made.clock.pending).to.equal(1);
      await made.clock.advance(1);
      expect(await run).to.include({ exitCode: 0, stdout: 'part', outputComplete: false });
      expect([made.program.stdout?.destroyed, made.clock.pending]).to.deep.equal([true, 0]);
    });

    it('of which one breaks after the exit is an error of the run', async () => {
      const made = fake((p) => p.exit(0, 'pipes held'));
      const run = rejection(new made.Command('x').setOutputBuffer().run(), CommandIoError);
      await turns();
      made.program.stdout?.destroy(new Error('bad'));
      expect((await run).stream).to.equal('stdout');
    });

    it('leave nobody to signal after the exit', async () => {
      const made = fake((p) => p.exit(0, 'pipes held'));
      const running = await new made.Command('x').setOutputBuffer().doAsyncIo().runAsync();
      await turns();
      expect([running.kill(), made.program.signals]).to.deep.equal([false, []]);
      await running.abort();
      await running.wait();
    });

    it('an input that somebody still takes is waited for, but for no longer than drainDelay', async () => {
      for (const taken of [true, false]) {
        const made = fake((p) => p.exit(), {
          start: (program) => {
            program.stdin!.stalled = true;
            return Promise.resolve(program);
          },
        });
        let over = false;
        const run = new made.Command('x').setInputBuffer('in').run({ drainDelay: 300 });
        void run.then(() => (over = true));
        await made.clock.advance(299);
        expect(over).to.equal(false);
        if (taken) made.program.stdin?.flow();
        await made.clock.advance(taken ? 0 : 1);
        expect([over, made.program.stdin?.text]).to.deep.equal([true, taken ? 'in' : '']);
      }
    });

    it('drainDelay 0 still takes what is there', async () => {
      const made = fake((p) => p.write('stdout', 'there').exit(0, 'pipes held'));
      const run = new made.Command('x').setOutputBuffer().run({ drainDelay: 0 });
      await made.clock.advance(0);
      expect(await run).to.include({ stdout: 'there', outputComplete: false });
    });

    it('a held stderr that nobody asked for is not waited for', async () => {
      const made = fake((p) => p.exit(0, 'pipes held'));
      expect(await new made.Command('x').run()).to.include({ outputComplete: true });
      const failing = fake((p) => p.write('stderr', 'why').exit(1, 'pipes held'));
      expect((await rejection(new failing.Command('x').run(), CommandExitError)).stderrTail).to.equal('why');
    });

    it('stderr that is told of after the exit is in the message', async () => {
      const failing = fake((p) => {
        p.exit(1, 'pipes held');
        setImmediate(() => p.write('stderr', 'why'));
      });
      expect((await rejection(new failing.Command('x').run(), CommandExitError)).stderrTail).to.equal('why');
      expect(failing.clock.pending).to.equal(0);
    });

    it('what has been written needs no time, which a test may fake', async () => {
      const failing = fake((p) => p.write('stderr', 'why').exit(1, 'pipes held'));
      const real = globalThis.setImmediate;
      let asked = 0;
      globalThis.setImmediate = ((callback: () => void) => (asked++, real(callback))) as typeof setImmediate;
      try {
        expect((await rejection(new failing.Command('x').run(), CommandExitError)).stderrTail).to.equal('why');
      } finally {
        globalThis.setImmediate = real;
      }
      expect(asked).to.equal(0);
    });

    it('what was piped to the caller is his to read when the program was ended, as long as he reads', async () => {
      const made = fake((p) => p.write('stdout', 'x'.repeat(100_000)));
      const running = await new made.Command('x').setOutputFd('pipe').runAsync({ drainDelay: 100 });
      let length = 0;
      let ended: Promise<void> | undefined;
      for await (const chunk of running.stdout as AsyncIterable<Buffer>) {
        length += chunk.length;
        await (ended ??= running.abort());
        await made.clock.advance(99);
      }
      expect(length).to.equal(100_000);
      expect(made.clock.pending).to.equal(0);
    });

    it('what was piped to a caller who has read enough is closed', async () => {
      const made = fake((p) => p.write('stdout', 'x'));
      const running = await new made.Command('x').setOutputFd('pipe').runAsync({ drainDelay: 60_000 });
      const enough = (): void => undefined;
      running.stdout.on('data', enough);
      await turns();
      running.stdout.off('data', enough).pause();
      await running.abort();
      expect([running.stdout.destroyed, made.clock.pending]).to.deep.equal([true, 0]);
    });

    it('but who escaped with the pipe is not waited for, and nobody is where nobody reads', async () => {
      for (const reads of [true, false]) {
        const made = fake();
        const running = await new made.Command('x').setOutputFd('pipe').runAsync({ drainDelay: 100 });
        if (reads) running.stdout.on('data', () => undefined);
        made.program.exit(0, 'pipes held');
        await running.abort();
        await made.clock.advance(reads ? 99 : 0);
        expect(running.stdout.destroyed).to.equal(!reads);
        await made.clock.advance(1);
        expect([running.stdout.destroyed, made.clock.pending]).to.deep.equal([true, 0]);
      }
    });

    it('an abort meanwhile ends the wait, not the result', async () => {
      const made = fake((p) => p.exit(0, 'pipes held'));
      const controller = new AbortController();
      const run = new made.Command('x').setOutputBuffer().run({ signal: controller.signal });
      await turns();
      controller.abort();
      expect(await run).to.include({ exitCode: 0, aborted: false, outputComplete: false });
    });
  });

  describe('the deadline', () => {
    it('that is late, since the event loop was busy, lets an exit be told first', async () => {
      for (const [exits, code] of [
        [true, 0],
        [false, 'ERR_COMMAND_TIMEOUT'],
      ] as const) {
        // In the turn in which the deadline is set, so that it comes after that.
        const start = (program: FakeProgram): Promise<FakeProgram> => {
          // As a backend is told of an exit: after the timers, in the turn that comes.
          if (exits) setImmediate(() => program.exit());
          busy(40);
          return Promise.resolve(program);
        };
        const Command = bindCommand({ ...fake(idle, { start }).backend, clock: undefined });
        const ended = new Command('x').run({ timeout: 10, killDelay: 0 }).then(
          ({ exitCode }) => exitCode,
          (error: unknown) => (error as CommandTimeoutError).code,
        );
        expect(await ended).to.equal(code);
      }
    });

    it('sends SIGTERM to the tree, and rejects with what is known', async () => {
      const made = fake((p) => p.write('stdout', 'part'));
      const run = rejection(
        new made.Command('x').setOutputBuffer().run({ timeout: 500, check: false }),
        CommandTimeoutError,
      );
      await made.clock.advance(499);
      expect(made.program.signals).to.deep.equal([]);
      await made.clock.advance(1);
      const error = await run;
      expect(error).to.include({ code: 'ERR_COMMAND_TIMEOUT', timeout: 500 });
      expect(error.result).to.include({
        timedOut: true,
        aborted: false,
        signal: 'SIGTERM',
        stdout: 'part',
        ended: 'group',
      });
      expect(made.program.signals[0]).to.equal('SIGTERM tree');
      expect(made.clock.pending).to.equal(0);
    });

    it('sends SIGKILL after killDelay', async () => {
      const made = fake((p) => p.traps.add('SIGTERM'));
      const run = rejection(new made.Command('x').run({ timeout: 10, killDelay: 200 }), CommandTimeoutError);
      await made.clock.advance(209);
      expect(made.program.signals).to.deep.equal(['SIGTERM tree', 'SIGCONT tree']);
      await made.clock.advance(1);
      expect((await run).result).to.include({ signal: 'SIGKILL' });
    });

    it('killDelay 0 is SIGKILL at once', async () => {
      const made = fake(idle);
      const run = rejection(new made.Command('x').run({ timeout: 10, killDelay: 0 }), CommandTimeoutError);
      await made.clock.advance(10);
      await run;
      expect(made.program.signals).to.deep.equal(['SIGKILL tree']);
    });

    it('releases the caller of what not even SIGKILL ends', async () => {
      const made = fake((p) => p.traps.add('SIGTERM').add('SIGKILL'));
      const run = rejection(
        new made.Command('x').run({ timeout: 10, killDelay: 20, drainDelay: 300 }),
        CommandTimeoutError,
      );
      await made.clock.advance(10 + 20 + 300);
      const { result } = await run;
      expect([result.exitCode, result.signal, made.program.disposed]).to.deep.equal([undefined, undefined, 1]);
    });

    it('counts from the call: a start that never comes is given up, and ended if it still does', async () => {
      const { made, come } = pending();
      const run = rejection(new made.Command('x').run({ timeout: 100, drainDelay: 50 }), CommandTimeoutError);
      await made.clock.advance(150);
      expect((await run).result).to.include({ pid: undefined, exitCode: undefined, timedOut: true });
      come();
      await turns();
      expect(made.program.disposed).to.equal(1);
    });

    it('a start that cannot be cancelled is given up all the same', async () => {
      const { made } = pending();
      let asked = 0;
      const cancelStart = (): never => {
        throw new Error(`asked ${++asked} times`);
      };
      const Command = bindCommand({ ...made.backend, cancelStart });
      const controller = new AbortController();
      const options = { drainDelay: 50, signal: controller.signal };
      const runs = [new Command('x').run({ ...options, timeout: 10 }), new Command('y').run(options)] as const;
      const ended = [rejection(runs[0], CommandTimeoutError), rejection(runs[1], CommandAbortedError)];
      await made.clock.advance(10);
      controller.abort();
      await made.clock.advance(50);
      await Promise.all(ended);
      expect([asked, made.clock.pending]).to.deep.equal([2, 0]);
    });

    it('a second end while the start is pending takes nothing from the first', async () => {
      for (const [second, signals] of [
        [undefined, ['SIGTERM tree', 'SIGCONT tree']],
        [0, ['SIGKILL tree']],
      ] as const) {
        const { made, come } = pending();
        const run = rejection(new made.Command('x').run(), CommandAbortedError);
        const ends = [abortAll(), abortAll({ killDelay: second })];
        await turns();
        come();
        const error = await run;
        expect(error.result).to.include({ ended: 'group', signal: signals[0].split(' ')[0] });
        expect(made.program.signals).to.deep.equal(signals);
        await Promise.all(ends);
      }
    });

    it('is taken away by an exit just before it, also while the pipes are held', async () => {
      const made = fake(idle);
      const run = new made.Command('x').setOutputBuffer().run({ timeout: 100, drainDelay: 500 });
      await made.clock.advance(99);
      made.program.exit(0, 'pipes held');
      await made.clock.advance(400);
      made.program.close('stdout', 'stderr');
      expect(await run).to.include({ exitCode: 0, timedOut: false, outputComplete: true });
      expect(made.program.signals).to.deep.equal([]);
    });

    it('is missed by a program that exits with 0 in the grace after it', async () => {
      const made = fake((p) => p.traps.add('SIGTERM'));
      const run = rejection(new made.Command('x').run({ timeout: 10 }), CommandTimeoutError);
      await made.clock.advance(10);
      made.program.exit(0);
      expect((await run).result).to.include({ exitCode: 0, timedOut: true });
    });

    it('that reaches a program by SIGCONT alone, which its session may send, has ended nobody', async () => {
      const made = fake((p) => {
        p.signal = (name) => ({ sent: name === 'SIGCONT', reached: 'tree' });
      });
      const run = rejection(new made.Command('x').run({ timeout: 10, killDelay: 10 }), CommandTimeoutError);
      await made.clock.advance(10_000);
      const error = await run;
      expect(error.result).to.include({ ended: 'none' });
      expect(error.message).to.equal('Command timed out after 10 ms, and could not be ended: x');
    });

    it('of which only those below the program know has not ended it', async () => {
      const made = fake((p) => {
        p.signal = () => ({ sent: true, reached: 'tree' });
      });
      const run = rejection(new made.Command('x').run({ timeout: 10, killDelay: 10 }), CommandTimeoutError);
      await made.clock.advance(10_000);
      const error = await run;
      expect(error.result).to.include({ ended: 'none' });
      expect(error.message).to.equal('Command timed out after 10 ms, and could not be ended: x');
    });

    it('waits for descendants to end, and kills those who do not', async () => {
      const made = fake((p) => {
        p.reach = 'tree';
      });
      const run = rejection(new made.Command('x').run({ timeout: 10, killDelay: 400 }), CommandTimeoutError);
      await turns();
      const { program } = made;
      // SIGTERM ends the program only.
      program.signal = (name, target) => {
        program.signals.push(`${name} ${target}`);
        if (name === 'SIGTERM') program.exit('SIGTERM', 'pipes held');
        if (name === 'SIGKILL') {
          program.descendants = 0;
          program.close('stdout', 'stderr');
        }
        return { sent: true, reached: 'tree' };
      };
      program.descendants = 2;
      await made.clock.advance(300);
      expect(program.signals).to.deep.equal(['SIGTERM tree', 'SIGCONT tree']);
      await made.clock.advance(200);
      expect((await run).result).to.include({ signal: 'SIGTERM', ended: 'tree' });
      expect(program.signals.at(-1)).to.equal('SIGKILL tree');
      expect(made.clock.pending).to.equal(0);
    });

    it('leaves descendants their grace, however short drainDelay is', async () => {
      for (const drainDelay of [0, 5, 50]) {
        const made = fake(idle);
        const run = rejection(
          new made.Command('x').setOutputBuffer().run({ timeout: 10, killDelay: 400, drainDelay }),
          CommandTimeoutError,
        );
        await turns();
        const { program } = made;
        program.signal = (name, target) => {
          program.signals.push(`${name} ${target}`);
          program.exit('SIGTERM', 'pipes held');
          return { sent: true, reached: 'tree' };
        };
        program.descendants = 1;
        await made.clock.advance(350);
        expect(program.signals).to.deep.equal(['SIGTERM tree', 'SIGCONT tree']);
        program.write('stdout', 'bye').close('stdout', 'stderr');
        program.descendants = 0;
        await made.clock.advance(10);
        expect((await run).result).to.include({ stdout: 'bye', outputComplete: true });
        expect(program.signals).to.deep.equal(['SIGTERM tree', 'SIGCONT tree']);
      }
    });

    it('sends no SIGKILL for pipes that are held when the program and its descendants are gone', async () => {
      for (const descendants of [0, 1]) {
        const made = fake(idle);
        const run = rejection(
          new made.Command('x').setOutputBuffer().run({ timeout: 10, killDelay: 50, drainDelay: 300 }),
          CommandTimeoutError,
        );
        await turns();
        const { program } = made;
        program.signal = (name, target) => {
          program.signals.push(`${name} ${target}`);
          program.exit('SIGTERM', 'pipes held');
          return { sent: true, reached: 'tree' };
        };
        program.descendants = descendants;
        await made.clock.advance(20);
        program.descendants = 0;
        await made.clock.advance(400);
        expect((await run).result).to.include({ signal: 'SIGTERM', ended: 'tree' });
        expect(program.signals).to.deep.equal(['SIGTERM tree', 'SIGCONT tree']);
      }
    });

    it('has ended a program of which a descendant survives even SIGKILL', async () => {
      const made = fake(idle);
      const run = rejection(
        new made.Command('x').setOutputBuffer().run({ timeout: 10, killDelay: 0, drainDelay: 300 }),
        CommandTimeoutError,
      );
      await turns();
      const { program } = made;
      program.signal = () => {
        program.exit('SIGKILL', 'pipes held');
        return { sent: true, reached: 'tree' };
      };
      program.descendants = 1;
      await made.clock.advance(310);
      expect((await run).result).to.include({ signal: 'SIGKILL', ended: 'tree' });
    });

    it('waits for pipes from when the descendants are gone, not from the end of their grace', async () => {
      const made = fake(idle);
      const run = rejection(
        new made.Command('x').setOutputBuffer().run({ timeout: 10, drainDelay: 50 }),
        CommandTimeoutError,
      );
      await turns();
      const { program } = made;
      program.signal = () => {
        program.exit('SIGTERM', 'pipes held');
        return { sent: true, reached: 'tree' };
      };
      program.descendants = 1;
      await made.clock.advance(100);
      program.descendants = 0;
      await made.clock.advance(60);
      expect((await run).result).to.include({ outputComplete: false });
    });
  });

  describe('an abort', () => {
    it('before the call starts nothing', async () => {
      const made = fake();
      const error = await rejection(
        new made.Command('x').setOutputBuffer().run({ signal: AbortSignal.abort('no') }),
        CommandAbortedError,
      );
      expect([error.reason, error.code, made.programs.length]).to.deep.equal(['no', 'ERR_COMMAND_ABORTED', 0]);
      expect(error.result).to.include({ pid: undefined, aborted: true, outputComplete: true });
    });

    it('while it starts ends the program as it comes', async () => {
      const controller = new AbortController();
      const made = fake(idle, {
        start: async (program) => {
          controller.abort('changed my mind');
          await turns(1);
          return program;
        },
      });
      const error = await rejection(new made.Command('x').run({ signal: controller.signal }), CommandAbortedError);
      expect([error.reason, error.cause]).to.deep.equal(['changed my mind', 'changed my mind']);
      expect(made.program.signals[0]).to.equal('SIGTERM tree');
    });

    it('came first, also if the start fails meanwhile', async () => {
      const controller = new AbortController();
      const made = fake(idle, {
        start: async () => {
          controller.abort('changed my mind');
          await turns(1);
          throw startError('exec', 'nothing there');
        },
      });
      const error = await rejection(new made.Command('x').run({ signal: controller.signal }), CommandAbortedError);
      expect(error.reason).to.equal('changed my mind');
    });

    it('by a signal whose reason cannot be read is one, at whatever time', async () => {
      const cannot = new Error('no reason');
      const aborting = (signal: AbortSignal): AbortSignal =>
        Object.defineProperty(signal, 'reason', {
          get: () => {
            throw cannot;
          },
        });
      const made = fake(idle);
      const command = new made.Command('x');
      const before = await rejection(command.run({ signal: aborting(AbortSignal.abort()) }), CommandAbortedError);
      expect([before.reason, made.programs.length]).to.deep.equal([cannot, 0]);
      const controller = new AbortController();
      const run = command.run({ signal: aborting(controller.signal) });
      await turns();
      controller.abort();
      expect((await rejection(run, CommandAbortedError)).reason).to.equal(cannot);
      expect(made.program.signals[0]).to.equal('SIGTERM tree');
    });

    it('of one signal ends all who were given it, and they are one listener', async () => {
      const controller = new AbortController();
      const { signal } = controller;
      const made = fake(idle);
      const short = fake((program) => program.exit());
      const runs = Array.from({ length: 20 }, () =>
        rejection(new made.Command('x').run({ signal }), CommandAbortedError),
      );
      await turns();
      // Who is over takes nobody else's listener away, and no listener is made anew for each.
      await new short.Command('y').run({ signal });
      expect(getEventListeners(signal, 'abort')).to.have.length(1);
      controller.abort('all');
      expect((await Promise.all(runs)).map(({ reason }) => reason as string)).to.deep.equal(Array(20).fill('all'));
      expect(getEventListeners(signal, 'abort')).to.deep.equal([]);
      const late = await rejection(new made.Command('x').run({ signal }), CommandAbortedError);
      expect([late.reason, made.programs.length]).to.deep.equal(['all', 20]);
    });

    it('is listened for no longer than the run, which is over also if the signal cannot forget it', async () => {
      const { signal } = new AbortController();
      signal.removeEventListener = () => {
        throw new Error('cannot forget');
      };
      const made = fake((p) => p.exit(1));
      const command = new made.Command('x');
      await rejection(command.run({ signal }), CommandExitError);
      await rejection(command.run({ signal }), CommandExitError);
      expect(made.clock.pending).to.equal(0);
    });

    it('lets the exit by SIGKILL, and a start, be told first where a timer is late', async () => {
      const slow = fake((p) => p.traps.add('SIGKILL'));
      const Command = bindCommand({ ...slow.backend, clock: undefined });
      const running = await new Command('x').runAsync({ drainDelay: 0 });
      await turns(1);
      const killed = rejection(running.wait(), CommandAbortedError);
      void running.abort({ killDelay: 0 });
      setImmediate(() => slow.program.exit('SIGKILL'));
      // Longer than the kernel has for a SIGKILL.
      busy(150);
      expect((await killed).result).to.include({ signal: 'SIGKILL', ended: 'group' });

      const { made, come } = pending();
      const Late = bindCommand({ ...made.backend, clock: undefined });
      const controller = new AbortController();
      const run = rejection(new Late('x').run({ signal: controller.signal, drainDelay: 10 }), CommandAbortedError);
      await turns(1);
      controller.abort();
      setImmediate(come);
      busy(40);
      expect((await run).result).to.include({ pid: 100, signal: 'SIGTERM' });
    });

    it('that is asked for again can shorten the grace, and not lengthen it', async () => {
      for (const [again, killed] of [
        [5000, 1000],
        [100, 500],
        [0, 400],
      ] as const) {
        const made = fake((p) => p.traps.add('SIGTERM'));
        const running = await new made.Command('x').runAsync({ killDelay: 1000 });
        await turns();
        void running.abort();
        await made.clock.advance(400);
        void running.abort({ killDelay: again });
        if (killed > 400) await made.clock.advance(killed - 401);
        expect(made.program.signals.includes('SIGKILL tree')).to.equal(killed === 400);
        await made.clock.advance(1);
        expect(made.program.signals).to.include('SIGKILL tree');
        expect(made.program.signals.filter((s) => s === 'SIGTERM tree')).to.have.length(1);
        await rejection(running.wait(), CommandAbortedError);
        expect(made.clock.pending).to.equal(0);
      }
    });

    it('that is asked for again when SIGKILL was sent takes no time from its bound', async () => {
      const made = fake((p) => p.traps.add('SIGTERM').add('SIGKILL'));
      const running = await new made.Command('x').runAsync({ drainDelay: 300 });
      await turns();
      void running.abort({ killDelay: 0 });
      void running.abort();
      await made.clock.advance(300);
      await rejection(running.wait(), CommandAbortedError);
      expect(made.program.signals).to.deep.equal(['SIGKILL tree']);
    });

    it('looks for nobody any more when a program that was given up ends at last', async () => {
      const made = fake((p) => p.traps.add('SIGTERM').add('SIGKILL'));
      const running = await new made.Command('x').runAsync({ drainDelay: 300 });
      await turns();
      made.program.descendants = 1;
      void running.abort({ killDelay: 0 });
      await made.clock.advance(300);
      await rejection(running.wait(), CommandAbortedError);
      made.program.exit('SIGKILL');
      await made.clock.advance(10);
      await made.clock.advance(10);
      expect(made.clock.pending).to.equal(0);
    });

    it('that is asked for again when the program and its tree are gone signals nobody', async () => {
      const made = fake(idle);
      const running = await new made.Command('x').setOutputBuffer().doAsyncIo().runAsync({ drainDelay: 300 });
      await turns();
      const { program } = made;
      program.traps.add('SIGTERM');
      void running.abort();
      program.exit(0, 'pipes held');
      await turns();
      void running.abort({ killDelay: 0 });
      await made.clock.advance(300);
      await rejection(running.wait(), CommandAbortedError);
      expect(program.signals).to.deep.equal(['SIGTERM tree', 'SIGCONT tree']);
    });

    it('of everything lets the event loop turn under a caller that starts again and again', async () => {
      const made = fake((p) => p.traps.add('SIGTERM').add('SIGKILL'));
      const running = await new made.Command('x').runAsync({ drainDelay: 300 });
      await turns();
      const all = abortAll({ killDelay: 0 });
      let turned = false;
      setImmediate(() => (turned = true));
      for (let tries = 0; tries < 3; tries++) await rejection(new made.Command('y').run(), CommandAbortedError);
      expect([turned, made.programs.length]).to.deep.equal([true, 1]);
      await made.clock.advance(300);
      await all;
      await rejection(running.wait(), CommandAbortedError);
    });

    it('that shortens the grace of descendants shortens the wait for who is left too', async () => {
      const made = fake(idle);
      const running = await new made.Command('x')
        .setOutputBuffer()
        .doAsyncIo()
        .runAsync({ killDelay: 5000, drainDelay: 50 });
      await turns();
      const { program } = made;
      program.descendants = 1;
      program.signal = () => {
        program.exit('SIGTERM', 'pipes held');
        return { sent: true, reached: 'tree' };
      };
      void running.abort();
      await made.clock.advance(100);
      void running.abort({ killDelay: 0 });
      await made.clock.advance(50);
      await rejection(running.wait(), CommandAbortedError);
    });

    it('may be given a longer grace than the run', async () => {
      const made = fake((p) => p.traps.add('SIGTERM'));
      const running = await new made.Command('x').runAsync({ killDelay: 100 });
      await turns();
      void running.abort({ killDelay: 1000 });
      await made.clock.advance(999);
      expect(made.program.signals).to.not.include('SIGKILL tree');
      await made.clock.advance(1);
      await rejection(running.wait(), CommandAbortedError);
    });

    it('lets go of its AbortSignal', async () => {
      const { signal } = new AbortController();
      let listeners = 0;
      const watched = Object.assign(Object.create(signal) as AbortSignal, {
        addEventListener: () => listeners++,
        removeEventListener: () => listeners--,
      });
      Object.defineProperty(watched, 'aborted', { value: false });
      const { Command } = fake();
      await new Command('x').run({ signal: watched });
      expect(listeners).to.equal(0);
    });

    it('abortAll() ends everything that runs, the newest first', async () => {
      const order: number[] = [];
      const made = fake((p) => {
        void p.exited.then(() => order.push(p.pid));
      });
      const running = await Promise.all(['a', 'b', 'c'].map((name) => new made.Command(name).runAsync()));
      await turns();
      await abortAll();
      expect(order).to.deep.equal([102, 101, 100]);
      for (const one of running) await rejection(one.wait(), CommandAbortedError);
      await abortAll();
    });
  });

  describe('the first cause decides', () => {
    const both = { timeout: 100, outputLimit: 3 } as const;

    it('an abort of which an earlier listener keeps the others from hearing', async () => {
      const { Command } = fake(idle);
      const aborting = new AbortController();
      aborting.signal.addEventListener('abort', (event) => {
        event.stopImmediatePropagation();
      });
      const run = new Command('x').run({ signal: aborting.signal });
      await turns();
      aborting.abort();
      await rejection(run, CommandAbortedError);
    });

    it('a limit before the deadline', async () => {
      const made = fake((p) => p.traps.add('SIGTERM'));
      const run = rejection(new made.Command('x').setOutputBuffer().run(both), OutputLimitError);
      await turns();
      made.program.write('stdout', 'abcd');
      await made.clock.advance(200);
      made.program.exit(0);
      expect((await run).result).to.include({ stdout: 'abc', timedOut: false });
    });

    it('the deadline before a limit', async () => {
      const made = fake((p) => p.traps.add('SIGTERM'));
      const run = rejection(new made.Command('x').setOutputBuffer().run(both), CommandTimeoutError);
      await made.clock.advance(100);
      made.program.write('stdout', 'abcd');
      await turns();
      made.program.exit(0);
      expect((await run).result).to.include({ stdout: 'abc', timedOut: true, outputComplete: false });
    });

    it('an exit before an abort', async () => {
      const made = fake((p) => p.exit(7));
      const running = await new made.Command('x').runAsync();
      await turns();
      await running.abort();
      expect(await rejection(running.wait(), CommandExitError)).to.include({ exitCode: 7 });
    });

    it('too much output is too much even after the exit', async () => {
      const made = fake((p) => p.exit(0, 'pipes held'));
      const run = rejection(new made.Command('x').setOutputBuffer().run({ outputLimit: 3 }), OutputLimitError);
      await turns();
      made.program.write('stdout', 'abcd').close('stdout', 'stderr');
      await run;
    });
  });

  describe('output limits', () => {
    it('exactly the limit is not too much', async () => {
      const { Command } = fake((p) => p.write('stdout', 'abc').exit());
      expect(await new Command('x').setOutputBuffer().run({ outputLimit: 3 })).to.include({ stdout: 'abc' });
    });

    it('are for both together as well', async () => {
      const made = fake((p) => p.write('stdout', 'abc').write('stderr', 'def'));
      const run = new made.Command('x')
        .setOutputBuffer()
        .setErrorBuffer()
        .run({ outputLimit: { total: 5 } });
      const error = await rejection(run, OutputLimitError);
      expect(error).to.include({ stream: 'total', limit: 5 });
      expect(`${error.result.stdout as string}${error.result.stderr as string}`).to.have.length(5);
    });

    it('a cut character is left out', async () => {
      const { Command } = fake((p) => p.write('stdout', '漢字').exit());
      const run = new Command('x').setOutputBuffer().run({ outputLimit: { stdout: 5, onExceed: 'truncate' } });
      expect(await run).to.include({ stdout: '漢', outputComplete: false, exitCode: 0 });
    });

    it('a cut character is left out whatever it is made of, and a whole one is not', async () => {
      for (const [encoding, ...characters] of [
        ['utf8', 'e', 'é', '漢', '😀'],
        ['utf16le', 'e', '漢', '\ud7ff', '\ue000', '😀', '\u{10fc00}'],
      ] as const) {
        for (const character of characters) {
          const bytes = Buffer.from(`x${character}y`, encoding);
          const begin = Buffer.byteLength('x', encoding);
          const end = begin + Buffer.byteLength(character, encoding);
          for (let cut = begin; cut <= end; cut++) {
            const { Command } = fake((p) => p.write('stdout', bytes).exit());
            const options = { encoding, outputLimit: { stdout: cut, onExceed: 'truncate' } } as const;
            const { stdout } = await new Command('x').setOutputBuffer().run(options);
            expect(stdout, `${character}, ${encoding}, ${cut}`).to.equal(cut === end ? `x${character}` : 'x');
          }
        }
      }
    });

    it('an end that is no character stays where only the other stream was cut', async () => {
      const { Command } = fake((p) =>
        p.write('stdout', Buffer.from('caf\xe9', 'latin1')).write('stderr', '漢字').exit(),
      );
      const run = new Command('x').setOutputBuffer().setErrorBuffer();
      const cut = await run.run({ outputLimit: { stderr: 5, onExceed: 'truncate' } });
      expect(cut).to.include({ stdout: 'caf\ufffd', stderr: '漢', outputComplete: false });
    });

    it('a killed program has its output exact to the byte', async () => {
      const { Command } = fake((p) => p.write('stdout', 'abcdef'));
      const run = new Command('x').setOutputBuffer('buffer').run({ outputLimit: 4 });
      expect((await rejection(run, OutputLimitError)).result.stdout).to.deep.equal(Buffer.from('abcd'));
    });
  });

  describe('a start that fails', () => {
    const failing = (error: unknown) => fake(idle, { start: () => rejected(error) });
    // Third parties write in JavaScript, where anything can be thrown.
    const rejected = async (error: unknown): Promise<never> => {
      await Promise.resolve();
      throw error as Error;
    };

    it('is the error of the backend, with command and backend added', async () => {
      const cause = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', errno: -2, syscall: 'spawn' });
      const { Command } = failing(startError('exec', cause, '/bin/x'));
      const error = await rejection(new Command('x', ['y']).run(), CommandStartError);
      expect(error).to.include({ stage: 'exec', code: 'ENOENT', errno: -2, path: '/bin/x', syscall: 'spawn' });
      expect(error).to.include({ command: 'x y', backend: 'fake', cause });
    });

    for (const [what, foreign] of [
      ['an error', new RangeError('odd')],
      ['a string', 'odd'],
      ['nothing', undefined],
    ] as const) {
      it(`${what} of somebody else becomes stage backend`, async () => {
        const { Command, clock } = failing(foreign);
        const error = await rejection(new Command('x').runAsync(), CommandStartError);
        expect(error).to.include({ stage: 'backend', code: 'ERR_COMMAND_START' });
        if (foreign instanceof Error) expect(error.cause).to.equal(foreign);
        expect(clock.pending).to.equal(0);
      });
    }

    it('an error that is thrown before there is a promise is one too, and no unhandled rejection', async () => {
      const start = (): never => {
        throw new RangeError('odd');
      };
      const Command = bindCommand({ ...fake().backend, start });
      expect(await rejection(new Command('x').run(), CommandStartError)).to.include({ stage: 'backend' });
    });

    it('what is no handle is one too', async () => {
      for (const odd of [undefined, {}, { exited: 1 }]) {
        const { Command } = fake(idle, { start: () => Promise.resolve(odd as never) });
        const command = new Command('x');
        expect(await rejection(command.run(), CommandStartError)).to.include({ stage: 'backend' });
        expect(await rejection(command.run(), CommandStartError)).to.include({ stage: 'backend' });
      }
    });

    it('a program that the backend lost', async () => {
      const made = fake((p) => {
        p.lose(new Error('gone'));
      });
      const running = await new made.Command('x').runAsync({ timeout: 10_000 });
      expect(await rejection(running.wait(), CommandStartError)).to.include({ stage: 'backend' });
      expect([made.program.disposed, made.clock.pending]).to.deep.equal([1, 0]);
    });
  });

  /** As `fake()`, its plan to be asked for later. */
  function fakeOf(play: (program: FakeProgram) => void) {
    const made = fake(play);
    return { Command: made.Command, plan: () => made.plan };
  }
});
