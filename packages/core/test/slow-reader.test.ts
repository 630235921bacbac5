/** Readers who take their time for what a program has left in its pipes. Real time is played, too. */
import { expect } from 'chai';
import type { RunningCommand } from '@vircommand/core';
import { realTime } from '../src/real-time';
import { fake, type Fake, type FakeProgram } from './fake-backend';
import { turns, VirtualClock } from './virtual-clock';

const idle = (): void => undefined;
const mostInPipe = 16 << 20;

type Reading = RunningCommand<'pipe'>;

describe('who reads a piped stream after the exit', () => {
  const { after } = realTime;
  let real: VirtualClock;
  beforeEach(() => {
    real = new VirtualClock();
    realTime.after = (ms, callback) => real.after(ms, callback);
  });
  afterEach(() => {
    realTime.after = after;
  });

  /** A run whose output is read when somebody calls `read()`. */
  async function readBy(play: (program: FakeProgram) => void): Promise<{ made: Fake; running: Reading }> {
    const made = fake(play);
    const running = await new made.Command('x').setOutputFd('pipe').runAsync({ drainDelay: 100 });
    running.stdout.on('readable', idle);
    await turns();
    return { made, running };
  }

  async function isOver(running: Reading): Promise<boolean> {
    let over = false;
    void running.wait().then(() => (over = true));
    await turns();
    return over;
  }

  it('is waited for as long as he goes on; he need not, and has all the same', async () => {
    for (const stops of [false, true]) {
      const { made, running } = await readBy((p) => p.write('stdout', 'abc').exit());
      for (const letter of stops ? '' : 'ab') {
        expect(String(running.stdout.read(1))).to.equal(letter);
        await real.advance(100);
        expect(await isOver(running)).to.equal(false);
      }
      if (stops) await real.advance(100);
      else expect([String(running.stdout.read(1)), running.stdout.read(0)]).to.deep.equal(['c', null]);
      expect((await running.wait()).outputComplete).to.equal(true);
      // What is left is still his.
      expect([running.stdout.destroyed, String(running.stdout.read())]).to.deep.equal([!stops, stops ? 'abc' : 'null']);
      expect([made.clock.pending, real.pending]).to.deep.equal([0, 0]);
    }
  });

  it('has real time, also where he only does not know yet that it was all', async () => {
    for (const output of ['abc', '']) {
      const { made, running } = await readBy((p) => p.write('stdout', 'first'));
      expect(String(running.stdout.read())).to.equal('first');
      made.program.write('stdout', output).exit();
      await made.clock.advance(10_000);
      expect(await isOver(running)).to.equal(false);
      while (running.stdout.read() !== null);
      expect(await running.wait()).to.include({ outputComplete: true });
    }
  });

  it('has real time after an abort, too', async () => {
    for (const output of ['abc', '']) {
      const { made, running } = await readBy((p) => p.write('stdout', 'first'));
      expect(String(running.stdout.read())).to.equal('first');
      made.program.write('stdout', output).exit();
      await turns();
      await running.abort();
      await running.wait();
      await made.clock.advance(10_000);
      expect(running.stdout.destroyed).to.equal(false);
      for (const letter of output.slice(0, 2)) {
        expect(String(running.stdout.read(1))).to.equal(letter);
        await real.advance(100);
        expect(running.stdout.destroyed).to.equal(false);
      }
      await real.advance(100);
      expect([running.stdout.destroyed, made.clock.pending, real.pending]).to.deep.equal([true, 0, 0]);
    }
  });

  it('waits by the clock of the run where somebody else has the pipe and writes nothing', async () => {
    const { made, running } = await readBy((p) => p.write('stdout', 'abc').exit(0, 'pipes held'));
    expect(String(running.stdout.read())).to.equal('abc');
    await real.advance(100);
    expect(await isOver(running)).to.equal(false);
    await made.clock.advance(100);
    expect(await running.wait()).to.include({ outputComplete: true });
    expect(running.stdout.destroyed).to.equal(false);
  });

  it('is not waited for where somebody else writes on, however much he has before him', async () => {
    for (const firstTaken of [false, true]) {
      const { made, running } = await readBy((p) => p.write('stdout', 'a'.repeat(10)).exit(0, 'pipes held'));
      const { stdout = running.stdout } = made.program;
      Object.assign(stdout, { bytesRead: 10 });
      const goOn = async (bytes: number): Promise<void> => {
        stdout.read(1);
        Object.assign(stdout, { bytesRead: bytes });
        await real.advance(100);
        await made.clock.advance(100);
      };
      if (firstTaken) {
        // The pipe is empty at the first look, so that all that comes later is not the program's.
        await goOn(10);
        expect(await isOver(running)).to.equal(false);
        stdout.read();
        made.program.write('stdout', 'b'.repeat(20));
        await goOn(30);
      } else {
        // The pipe is full for as long as he reads.
        made.program.write('stdout', Buffer.alloc(100_000));
        await goOn(mostInPipe);
        expect(await isOver(running)).to.equal(false);
        await goOn(mostInPipe + 200_000);
      }
      await goOn(firstTaken ? 30 : 2 * mostInPipe);
      expect(await isOver(running)).to.equal(true);
      expect([stdout.destroyed, made.clock.pending, real.pending]).to.deep.equal([false, 0, 0]);
    }
  });

  it('by lines is not waited for either where somebody else writes on', async () => {
    const made = fake((p) => p.write('stdout', '1\n'.repeat(5000)).exit(0, 'pipes held'));
    const running = await new made.Command('x').setOutputFd('pipe').runAsync({ drainDelay: 100 });
    Object.assign(running.stdout, { bytesRead: 10_000 });
    const lines = running.lines();
    await lines.next();
    await made.clock.advance(100);
    expect(await isOver(running)).to.equal(false);
    // All that was there is taken, and as much again is before him.
    for (let line = 1; line < 5000; line++) await lines.next();
    made.program.write('stdout', '2\n'.repeat(5000));
    Object.assign(running.stdout, { bytesRead: 2 * mostInPipe });
    await made.clock.advance(100);
    expect(await running.wait()).to.include({ outputComplete: false });
    await lines.return?.();
  });
});
