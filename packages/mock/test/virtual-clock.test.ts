import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import * as path from 'node:path';
import { createMock } from '@vircommand/mock';
import { Scratch } from './scratch';

describe('virtual time', () => {
  it('a day passes at once, and for everybody alike', async () => {
    const mock = createMock();
    const day = 24 * 3600 * 1000;
    mock.on('p').reply({ after: day });
    mock.on('q').reply({ after: day / 2, stdout: 'x' });
    const [p, q] = await Promise.all([new mock.Command('p').run(), new mock.Command('q').run()]);
    expect([p.durationMs, q.durationMs]).to.deep.equal([day, day / 2]);
  });

  it('timers come by their due times, then in the order in which they were set', async () => {
    const { clock } = createMock();
    const seen: string[] = [];
    await new Promise<void>((resolve) => {
      clock!.after(20, () => seen.push(`b ${clock!.now()}`));
      clock!.after(20, () => seen.push(`c ${clock!.now()}`));
      clock!.after(10, () => {
        seen.push(`a ${clock!.now()}`);
        clock!.after(10, () => {
          seen.push(`d ${clock!.now()}`);
          resolve();
        });
      });
    });
    expect(seen).to.deep.equal(['a 10', 'b 20', 'c 20', 'd 20']);
  });

  it('does not pass while code under test still works on what came before', async function () {
    const reading = readFile(__filename);
    // Node 26.10 tells of no file operations.
    const listed = process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq'));
    await reading;
    if (!listed) this.skip();
    const mock = createMock();
    mock.on('ask').program(async (program) => {
      await program.write('stdout', 'question\n');
      for await (const piece of program.stdin) {
        await program.write('stdout', piece);
        return;
      }
    });
    const running = await new mock.Command('ask', [], { stdin: 'pipe', stdout: 'pipe' }).runAsync({ timeout: 1 });
    await once(running.stdout, 'data');
    // A deadline of one millisecond, and the answer takes a file.
    running.stdin.end((await readFile(__filename)).subarray(0, 10));
    running.stdout.resume();
    expect(await running.wait()).to.include({ exitCode: 0, durationMs: 0 });
  });

  it('does not pass when a file operation was long because this process was held up', async () => {
    const scratch = new Scratch();
    const pipe = path.join(scratch.directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const { clock } = createMock();
    const seen: string[] = [];
    const uptime = process.uptime.bind(process);
    let [looks, held] = [0, 0];
    process.uptime = () => {
      looks++;
      return uptime() + held;
    };
    /** Who waits for the file looks so often. */
    const looked = async (count: number): Promise<void> => {
      for (const end = looks + count; looks < end;) await new Promise(setImmediate);
    };
    try {
      const reading = readFile(pipe).then(() => seen.push('read'));
      const timer = new Promise<void>((resolve) => {
        clock!.after(1, () => {
          seen.push('timer');
          resolve();
        });
      });
      await looked(2);
      held = 60;
      await looked(2);
      closeSync(openSync(pipe, 'w'));
      await Promise.all([reading, timer]);
      expect(seen).to.deep.equal(['read', 'timer']);
    } finally {
      process.uptime = uptime;
      scratch.remove();
    }
  });

  it('a cancelled timer never comes', async () => {
    const { clock } = createMock();
    const seen: number[] = [];
    const cancel = clock!.after(5, () => seen.push(5));
    clock!.after(1, () => cancel());
    await new Promise<void>((resolve) => clock!.after(10, resolve));
    cancel();
    expect(seen).to.deep.equal([]);
  });
});
