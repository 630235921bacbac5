/** Descriptors that a program gets besides its three streams, those it must not get, and buffers to read from. */
import * as assert from 'node:assert/strict';
import { fstatSync, readlinkSync, writeSync } from 'node:fs';
import * as path from 'node:path';
import { CommandUsageError, UnsupportedFeatureError } from '@vircommand/core';
import { openInheritable } from '../inheritable';
import { asking } from './asking';
import { fdFlags, group, parseFds, rejection, unusedFd } from './define';
import { filledPipe } from './redirections';

const closeOnExec = 0o2000000;

export const passedCases = group('passed', { requires: ['pass-fd'] }, [
  {
    id: 'same-number',
    title: 'a passed descriptor has the same number in the program',
    why: 'The caller puts that number into the arguments.',
    twin: true,
    async run(t, run) {
      const read = filledPipe(t, 'passed');
      const { stdout } = await run(t.helper(`fd-read:${read}`).passFd(read).setOutputBuffer());
      assert.equal(stdout, 'passed');
    },
  },
  {
    id: 'other-number',
    title: 'a descriptor can have another number in the program',
    why: 'Programs that expect a certain number (systemd’s 3) get it.',
    twin: true,
    async run(t, run) {
      const { read, write } = t.pipe();
      const command = t.helper('fd-write:3:three', 'fd-read:4').passFd(write, { as: 3 });
      const { stdout } = await run(command.passFd(filledPipe(t, 'four'), { as: 4 }).setOutputBuffer());
      t.closeFd(write);
      assert.equal(stdout, 'four');
      assert.equal((await t.readAll(read)).toString(), 'three');
    },
  },
  {
    id: 'high-number',
    title: 'numbers above 255 work',
    why: 'Some ways to start a program have a byte for them.',
    async run(t) {
      const { stdout } = await t
        .helper('fd-read:300')
        .passFd(filledPipe(t, 'high'), { as: 300 })
        .setOutputBuffer()
        .run();
      assert.equal(stdout, 'high');
    },
  },
  {
    id: 'twice',
    title: 'one descriptor can have two numbers in the program',
    why: 'The copy for the first one must not take it away from the second.',
    async run(t) {
      const { read, write } = t.pipe();
      await t.helper('fd-write:5:a', 'fd-write:7:b').passFd(write, { as: 5 }).passFd(write, { as: 7 }).run();
      t.closeFd(write);
      assert.equal((await t.readAll(read)).toString(), 'ab');
    },
  },
  {
    id: 'stays-open',
    title: 'a passed descriptor stays open in the parent, and close-on-exec there',
    why: 'It is the caller’s; without the flag every program that he starts later would get it.',
    needs: ['linux'],
    twin: true,
    async run(t, run) {
      const { read, write } = t.pipe();
      await run(t.helper('fd-write:3:1').passFd(write, { as: 3 }));
      assert.notEqual(fdFlags(write) & closeOnExec, 0);
      writeSync(write, '2');
      t.closeFd(write);
      assert.equal((await t.readAll(read)).toString(), '12');
    },
  },
  {
    id: 'closed-in-parent',
    title: 'a descriptor that is to be closed in the parent is closed once the program has it',
    why: 'VIR_COMMAND_PASS_FD_CLOSE_PARENT: the reader of a pipe waits for the end until the last writer has closed it.',
    twin: true,
    async run(t, run) {
      const { read, write } = t.pipe();
      await run(t.helper('fd-write:3:x').passFd(t.giveAway(write), { as: 3, closeInParent: true }));
      assert.equal((await t.readAll(read)).toString(), 'x');
    },
  },
  {
    id: 'closed-after-failure',
    title: 'it is closed when the start fails, too',
    why: 'One owner at every moment: the caller gave it away and never closes it.',
    twin: true,
    async run(t, run) {
      const { read, write } = t.pipe();
      const command = new t.Command('/no/such/program').passFd(t.giveAway(write), { as: 3, closeInParent: true });
      await t.rejectsStart(run(command), { stage: 'exec', code: 'ENOENT' });
      assert.equal((await t.readAll(read)).length, 0);
    },
  },
  {
    id: 'closed-after-misuse',
    title: 'it is closed when the command was used wrongly, too',
    why: 'As above; virCommandPassFD takes it even on a command in error.',
    async run(t) {
      const { read, write } = t.pipe();
      const command = t.helper('args', 'a\0b').passFd(t.giveAway(write), { as: 3, closeInParent: true });
      await rejection(command.run(), CommandUsageError);
      assert.equal((await t.readAll(read)).length, 0);
      assert.equal(t.starts, 0);
    },
  },
  {
    id: 'closed-after-refusal',
    title: 'it is closed when the backend cannot do what is asked, too',
    why: 'As above: which backend runs the command is not the business of who wrote it.',
    async run(t) {
      const request = Object.entries(asking).find(
        ([feature, { ask }]) => ask !== undefined && !t.backend.features.some((declared) => declared === feature),
      )?.[1];
      if (request?.ask === undefined) return t.notChecked('the backend can do everything');
      const { read, write } = t.pipe();
      const command = t.helper('exit:0').passFd(t.giveAway(write), { as: 9, closeInParent: true });
      request.ask(command);
      await rejection(request.run?.(command) ?? command.run(), UnsupportedFeatureError);
      assert.equal((await t.readAll(read)).length, 0);
      assert.equal(t.starts, 0);
    },
  },
  {
    id: 'closed-once',
    title: 'a command whose descriptors were closed runs once',
    why: 'The number can be anybody’s by the second time.',
    async run(t) {
      const { read, write } = t.pipe();
      const command = t.helper('fd-write:3:x').passFd(t.giveAway(write), { as: 3, closeInParent: true });
      await command.run();
      await rejection(command.run(), CommandUsageError);
      await t.readAll(read);
      assert.equal(t.starts, 1);
    },
  },
  {
    id: 'crossed',
    title: 'two descriptors can have each other’s numbers',
    why: 'Copied one after the other, the second would be a copy of the first.',
    twin: true,
    async run(t, run) {
      const [a, b] = [filledPipe(t, 'was a'), filledPipe(t, 'was b')];
      const command = t.helper(`fd-read:${a}`, 'out: ', `fd-read:${b}`).passFd(a, { as: b }).passFd(b, { as: a });
      const { stdout } = await run(command.setOutputBuffer());
      assert.equal(stdout, 'was b was a');
    },
  },
  {
    id: 'rotated',
    title: 'three descriptors can go round, beside streams that use pipes',
    why: 'The numbers on the way are those of the backend’s own pipes.',
    async run(t) {
      const [a, b, c] = [filledPipe(t, 'A'), filledPipe(t, 'B'), filledPipe(t, 'C')];
      const command = t.helper(`fd-read:${a}`, `fd-read:${b}`, `fd-read:${c}`, 'cat');
      command.passFd(a, { as: b }).passFd(b, { as: c }).passFd(c, { as: a });
      const { stdout } = await command.setInputBuffer('-').setOutputBuffer().run();
      assert.equal(stdout, 'CAB-');
    },
  },
  {
    id: 'crossed-stdio',
    title: 'a descriptor can be stdin while its number is given to another one',
    why: 'The streams and the passed descriptors come from one space of numbers.',
    requires: ['fd-stdio'],
    async run(t) {
      const [a, b] = [filledPipe(t, 'for stdin '), filledPipe(t, 'for number a')];
      const command = t.helper('cat', `fd-read:${a}`).setInputFd(a).passFd(b, { as: a });
      assert.equal((await command.setOutputBuffer().run()).stdout, 'for stdin for number a');
    },
  },
  {
    id: 'from-stdio',
    title: 'the caller’s own stdin can be passed under another number',
    why: '0, 1 and 2 are sources like any other, and get overwritten first.',
    needs: ['linux', 'posix', 'any-program'],
    async run(t) {
      const command = new t.Command('sh', ['-c', 'exec ls -l /proc/self/fd']).passFd(0, { as: 7 });
      const { stdout } = await command.setInputBuffer('').setOutputBuffer().run();
      assert.equal(parseFds(stdout).get(7), readlinkSync('/proc/self/fd/0'));
    },
  },
  {
    id: 'clash',
    title: 'two descriptors for one number are a usage error',
    why: 'One of them would silently not be there.',
    twin: true,
    async run(t, run) {
      const { read, write } = t.pipe();
      await rejection(run(t.helper('exit:0').passFd(read, { as: 3 }).passFd(write, { as: 3 })), CommandUsageError);
      assert.equal(t.starts, 0);
    },
  },
  {
    id: 'stdio-number',
    title: 'a number below 3 is a usage error',
    why: 'These are the streams, which have setters of their own.',
    async run(t) {
      const { read } = t.pipe();
      for (const as of [0, 1, 2, -1]) {
        await rejection(t.helper('exit:0').passFd(read, { as }).run(), CommandUsageError);
      }
      assert.equal(t.starts, 0);
    },
  },
  {
    id: 'closed',
    title: 'a descriptor that is not open fails at stage stdio with EBADF',
    why: 'The program must not start without it, or with somebody else’s.',
    twin: true,
    async run(t, run) {
      const command = t.helper('exit:0').passFd(unusedFd(), { as: 3 });
      await t.rejectsStart(run(command), { stage: 'stdio', code: 'EBADF' });
    },
  },
]);

export const closedCases = group('close-others', { requires: ['close-other-fds'], needs: ['linux'] }, [
  {
    id: 'exact',
    title: 'a program has 0, 1 and 2 and nothing else',
    why: 'Every descriptor that leaks into a program keeps a file, a port or a pipe open for as long as it lives.',
    twin: true,
    async run(t, run) {
      const { stdout } = await run(t.helper('fds').setOutputBuffer());
      assert.deepEqual(Array.from(parseFds(stdout).keys()).sort(), [0, 1, 2]);
    },
  },
  {
    id: 'with-passed',
    title: 'a program has 0, 1, 2 and what was passed to it',
    why: 'What is passed lies between what must be closed.',
    requires: ['pass-fd'],
    twin: true,
    async run(t, run) {
      const { read, write } = t.pipe();
      const command = t.helper('fds').passFd(read, { as: 5 }).passFd(write, { as: 19 }).setOutputBuffer();
      const { stdout } = await run(command);
      assert.deepEqual(
        Array.from(parseFds(stdout).keys()).sort((a, b) => a - b),
        [0, 1, 2, 5, 19],
      );
    },
  },
  {
    id: 'inheritable',
    title: 'descriptors that other code left inheritable are closed, too',
    why: 'Native libraries forget close-on-exec; their files must not reach every program.',
    twin: true,
    async run(t, run) {
      const log = await openInheritable(path.join(t.tempDir(), 'log'));
      if (log === undefined) return t.notChecked('no inheritable descriptor can be had');
      t.cleanup(() => log.close());
      const { stdout } = await run(t.helper('fds').setOutputBuffer());
      assert.ok(fstatSync(log.fd).isFile());
      assert.deepEqual(Array.from(parseFds(stdout).keys()).sort(), [0, 1, 2]);
    },
  },
]);

export const sendBufferCases = group('send-buffer', { requires: ['send-buffer'] }, [
  {
    id: 'read',
    title: 'a program reads a buffer from a descriptor of its own, up to its end',
    why: 'Keys and certificates belong neither into arguments nor into files.',
    twin: true,
    async run(t, run) {
      const { stdout } = await run(t.helper('fd-read:3').setSendBuffer(3, 'the key').setOutputBuffer());
      assert.equal(stdout, 'the key');
    },
  },
  {
    id: 'several',
    title: 'several buffers, beside stdin, each on its own number',
    why: 'A certificate is rarely without its key.',
    twin: true,
    async run(t, run) {
      const command = t.helper('fd-read:6', 'fd-read:4', 'cat').setSendBuffer(4, 'four ').setSendBuffer(6, 'six ');
      const { stdout } = await run(command.setInputBuffer('stdin').setOutputBuffer());
      assert.equal(stdout, 'six four stdin');
    },
  },
  {
    id: 'binary',
    title: 'a buffer may hold any byte, and be empty',
    why: 'Keys are binary.',
    async run(t) {
      const data = Buffer.from([0, 1, 0xff, 0, 10]);
      const command = t.helper('fd-read:3', 'fd-read:4').setSendBuffer(3, data).setSendBuffer(4, '');
      assert.deepEqual((await command.setOutputBuffer('buffer').run()).stdout, data);
    },
  },
  {
    id: 'large',
    title: 'a buffer that is larger than a pipe goes through while the program writes',
    why: 'Whoever writes it before he reads waits for ever.',
    twin: true,
    async run(t, run) {
      const data = Buffer.alloc(1024 * 1024, 'send');
      const { stdout } = await run(t.helper('fd-read:3').setSendBuffer(3, data).setOutputBuffer('buffer'));
      assert.ok(stdout.equals(data));
    },
  },
  {
    id: 'unread',
    title: 'a program need not read it',
    why: 'That it is not interested is no failure.',
    twin: true,
    async run(t, run) {
      const { stdout } = await run(
        t
          .helper('out:x')
          .setSendBuffer(3, Buffer.alloc(1024 * 1024))
          .setOutputBuffer(),
      );
      assert.equal(stdout, 'x');
    },
  },
  {
    id: 'clash',
    title: 'a buffer for a number that is taken is a usage error',
    why: 'One of the two would silently not be there.',
    async run(t) {
      await rejection(t.helper('exit:0').setSendBuffer(3, 'a').setSendBuffer(3, 'b').run(), CommandUsageError);
      assert.equal(t.starts, 0);
    },
  },
]);
