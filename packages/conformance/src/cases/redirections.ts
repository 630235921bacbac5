/** Streams from and to descriptors of the caller, and files. */
import * as assert from 'node:assert/strict';
import {
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { devNull } from 'node:os';
import * as path from 'node:path';
import type { CaseContext } from '../types';
import { openUnnamedPipe } from '../pipe';
import { enter, fdFlags, group, parseFds, readLine, terminalName, unusedFd, writesOut } from './define';

/** A file of the case, open until its end. */
function openFile(t: CaseContext, file: string, flags: string): number {
  const fd = openSync(file, flags);
  t.cleanup(() => closeSync(fd));
  return fd;
}

/** The same end of a pipe, nonblocking: opened again, so that the other one stays as it is. */
function nonblockingEnd(t: CaseContext, fd: number, access: number): number {
  const nonblocking = openSync(`/proc/self/fd/${fd}`, access | constants.O_NONBLOCK);
  t.cleanup(() => closeSync(nonblocking));
  return nonblocking;
}

/** The reading end of a pipe in which `text` is, and then the end. */
export function filledPipe(t: CaseContext, text: string, { read, write } = t.pipe()): number {
  writeSync(write, text);
  t.closeFd(write);
  return read;
}

export const descriptorStdioCases = group('descriptor-stdio', { requires: ['fd-stdio'] }, [
  {
    id: 'stdin',
    title: 'a program reads from a descriptor of the caller, up to its end',
    why: 'Data that comes from elsewhere need not pass through this process.',
    twin: true,
    async run(t, run) {
      const read = filledPipe(t, 'through a pipe');
      const { stdout } = await run(t.helper('cat').setInputFd(read).setOutputBuffer());
      assert.equal(stdout, 'through a pipe');
    },
  },
  {
    id: 'stdout',
    title: 'a program writes its stdout to a descriptor of the caller',
    why: 'So does every shell redirection.',
    twin: true,
    async run(t, run) {
      const { read, write } = t.pipe();
      const { stdout, stderr } = await run(t.helper('out:o', 'err:e').setOutputFd(write).setErrorBuffer());
      t.closeFd(write);
      assert.equal((await t.readAll(read)).toString(), 'o');
      assert.equal(stdout, undefined);
      assert.equal(stderr, 'e');
    },
  },
  {
    id: 'stderr',
    title: 'a program writes its stderr to a descriptor of the caller',
    why: 'Logs have files of their own.',
    twin: true,
    async run(t, run) {
      const { read, write } = t.pipe();
      const { stdout } = await run(t.helper('out:o', 'err:e').setErrorFd(write).setOutputBuffer());
      t.closeFd(write);
      assert.equal((await t.readAll(read)).toString(), 'e');
      assert.equal(stdout, 'o');
    },
  },
  {
    id: 'both',
    title: 'stdout and stderr can go to one descriptor, in the order of the program',
    why: 'A log of both is the most common redirection there is.',
    twin: true,
    async run(t, run) {
      const { read, write } = t.pipe();
      await run(t.helper('out:1', 'err:2', 'out:3', 'err:4').setOutputFd(write).setErrorFd(write));
      await run(t.helper('out:5', 'err:6', 'out:7').setOutputFd(write).setErrorFd('stdout'));
      t.closeFd(write);
      assert.equal((await t.readAll(read)).toString(), '1234567');
    },
  },
  {
    id: 'all-three',
    title: 'all three streams can be descriptors of the caller at once',
    why: 'A mix-up of the three is seen only when they differ.',
    async run(t) {
      const [out, err] = [t.pipe(), t.pipe()];
      const command = t.helper('cat', 'err:to err').setInputFd(filledPipe(t, 'from in'));
      await command.setOutputFd(out.write).setErrorFd(err.write).run();
      t.closeFd(out.write);
      t.closeFd(err.write);
      assert.equal((await t.readAll(out.read)).toString(), 'from in');
      assert.equal((await t.readAll(err.read)).toString(), 'to err');
    },
  },
  {
    id: 'stays',
    title: 'a descriptor of the caller stays open and stays his',
    why: 'One that is closed behind his back is closed again later, when it is somebody else’s.',
    twin: true,
    async run(t, run) {
      const { read, write } = t.pipe();
      await run(t.helper('out:1').setOutputFd(write));
      writeSync(write, '2');
      await run(t.helper('out:3').setOutputFd(write));
      t.closeFd(write);
      assert.equal((await t.readAll(read)).toString(), '123');
    },
  },
  {
    id: 'offset',
    title: 'an open file is shared: the program goes on where the caller is',
    why: 'Headers that were written before must not be written over.',
    twin: true,
    async run(t, run) {
      const file = path.join(t.tempDir(), 'log');
      const fd = openFile(t, file, 'w');
      writeSync(fd, 'head ');
      await run(t.helper('out:body ').setOutputFd(fd));
      writeSync(fd, 'foot');
      assert.equal(readFileSync(file, 'latin1'), 'head body foot');
    },
  },
  {
    id: 'file-handle',
    title: 'a FileHandle is as good as a number',
    why: 'Numbers that outlive their handle are the source of many errors.',
    async run(t) {
      const file = path.join(t.tempDir(), 'log');
      const handle = await open(file, 'w');
      t.cleanup(() => handle.close());
      await t.helper('out:by handle').setOutputFd(handle).run();
      assert.equal(readFileSync(file, 'latin1'), 'by handle');
    },
  },
  {
    id: 'inherit',
    title: '"inherit" is the caller’s own stream, and crossing them works',
    why: 'stdout on the caller’s stderr and the other way round: the first copy must not overwrite the second source.',
    requires: ['pass-fd'],
    needs: ['linux', 'posix', 'any-program'],
    async run(t) {
      const targets = [0, 1, 2].map((fd) => readlinkSync(`/proc/self/fd/${fd}`));
      const list = async (streams: { stdin: number; stdout: number; stderr: number }): Promise<Map<number, string>> => {
        const { read, write } = t.pipe();
        await new t.Command('sh', ['-c', 'ls -l /proc/self/fd >&3'], {
          ...streams,
          passFds: [{ fd: write, as: 3 }],
        }).run();
        t.closeFd(write);
        return parseFds((await t.readAll(read)).toString());
      };
      const [straight, crossed] = [
        await list({ stdin: 0, stdout: 1, stderr: 2 }),
        await list({ stdin: 0, stdout: 2, stderr: 1 }),
      ];
      assert.deepEqual([straight.get(0), straight.get(2)], [targets[0], targets[2]]);
      // ls(1) itself has its stdout on 3.
      assert.deepEqual([crossed.get(0), crossed.get(2)], [targets[0], targets[1]]);
    },
  },
  {
    id: 'nonblocking',
    title: 'a nonblocking descriptor of the caller is nonblocking afterwards, too',
    why: 'The flag belongs to the open file: changing it for the program makes the caller’s event loop block.',
    needs: ['linux'],
    twin: true,
    async run(t, run) {
      const [input, output] = [openUnnamedPipe(), t.pipe()];
      t.cleanup(() => closeSync(input.read));
      const ends = [
        nonblockingEnd(t, filledPipe(t, 'text', input), constants.O_RDONLY),
        nonblockingEnd(t, output.write, constants.O_WRONLY),
      ] as const;
      await run(t.helper('cat').setInputFd(ends[0]).setOutputFd(ends[1]));
      for (const end of ends) assert.notEqual(fdFlags(end) & constants.O_NONBLOCK, 0);
      const bytes = Buffer.alloc(10);
      assert.equal(bytes.toString('latin1', 0, readSync(output.read, bytes)), 'text');
    },
  },
  {
    id: 'named',
    title: 'a program that polls the reading end of a named pipe is told that the last writer is gone',
    why: 'The kernel never says so to whom opens that end afterwards: the program would wait for ever.',
    needs: ['linux', 'posix', 'any-program'],
    twin: true,
    async run(t, run) {
      const polling = ['-e', 'process.stdin.pipe(process.stdout)'];
      for (const flag of [0, constants.O_NONBLOCK]) {
        const { read, write } = t.pipe();
        const end = openSync(`/proc/self/fd/${read}`, constants.O_RDONLY | flag);
        t.cleanup(() => closeSync(end));
        filledPipe(t, 'text', { read, write });
        const program = new t.Command(process.execPath, polling).setInputFd(end).setOutputBuffer();
        assert.equal((await run(program)).stdout, 'text');
      }
    },
  },
  {
    id: 'blocking',
    title: 'a nonblocking descriptor of the caller is a blocking one in the program',
    why: 'Node makes its own stdin, stdout and stderr nonblocking; a program that inherits them so finds no input and loses output.',
    needs: ['linux', 'posix', 'any-program'],
    twin: true,
    async run(t, run) {
      const [input, output] = [t.pipe(), t.pipe()];
      const report = path.join(t.tempDir(), 'flags');
      const script = `cat /proc/$$/fdinfo/0 /proc/$$/fdinfo/1 /proc/$$/fdinfo/2 > "$0"`;
      const command = new t.Command('sh', ['-c', script, report])
        .setInputFd(nonblockingEnd(t, input.read, constants.O_RDONLY))
        .setOutputFd(nonblockingEnd(t, output.write, constants.O_WRONLY))
        .setErrorFd(nonblockingEnd(t, output.write, constants.O_WRONLY));
      await run(command);
      const flags = Array.from(readFileSync(report, 'latin1').matchAll(/^flags:\s*([0-7]+)/gm), ([, octal = '']) =>
        Number.parseInt(octal, 8),
      );
      assert.deepEqual(
        flags.map((each) => each & (constants.O_NONBLOCK | constants.O_WRONLY | constants.O_RDWR)),
        [constants.O_RDONLY, constants.O_WRONLY, constants.O_WRONLY],
      );
    },
  },
  {
    id: 'waits',
    title: 'a program waits for what comes out of a nonblocking descriptor of the caller',
    why: 'What nobody has typed yet is no end, and no error.',
    needs: ['linux'],
    async run(t) {
      const { read, write } = t.pipe();
      const running = await t
        .helper('err:ready\\n', 'cat')
        .setInputFd(nonblockingEnd(t, read, constants.O_RDONLY))
        .setOutputBuffer()
        .setErrorFd('pipe')
        .doAsyncIo()
        .runAsync();
      assert.equal(await readLine(running.stderr), 'ready');
      writeSync(write, 'typed later');
      t.closeFd(write);
      assert.equal((await running.wait()).stdout, 'typed later');
    },
  },
  {
    id: 'closed',
    title: 'a descriptor that is not open fails at stage stdio with EBADF',
    why: 'The program must not start with a stream that is closed or somebody else’s.',
    twin: true,
    async run(t, run) {
      await t.rejectsStart(run(t.helper('out:x').setOutputFd(unusedFd())), { stage: 'stdio', code: 'EBADF' });
      // The next number that this process will have, perhaps for a pipe of this very start.
      const fd = openSync(devNull, 'r');
      closeSync(fd);
      const command = t.helper('out:x').setInputFd(fd).setOutputBuffer().setErrorBuffer();
      await t.rejectsStart(run(command), { stage: 'stdio', code: 'EBADF' });
      const after = t.helper('cat').setInputBuffer('x').setOutputFd(fd).setErrorBuffer();
      await t.rejectsStart(run(after), { stage: 'stdio', code: 'EBADF' });
    },
  },
]);

export const fileStdioCases = group('file-stdio', { requires: ['file-stdio'] }, [
  {
    id: 'in',
    title: 'a program reads its stdin from a file',
    why: 'The `<` of the shell.',
    twin: true,
    async run(t, run) {
      const file = path.join(t.tempDir(), 'in put');
      writeFileSync(file, 'from a file');
      const { stdout } = await run(t.helper('cat').setInputFile(file).setOutputBuffer());
      assert.equal(stdout, 'from a file');
    },
  },
  {
    id: 'out',
    title: 'stdout goes to a file that is created, or emptied if it is there',
    why: 'The `>` of the shell: what was in the file must not show behind shorter output.',
    twin: true,
    async run(t, run) {
      const file = path.join(t.tempDir(), 'out');
      await run(t.helper('out:first and long').setOutputFile(file));
      assert.equal(readFileSync(file, 'latin1'), 'first and long');
      await run(t.helper('out:second').setOutputFile(file));
      assert.equal(readFileSync(file, 'latin1'), 'second');
    },
  },
  {
    id: 'append',
    title: 'output is appended to a file, which is created if it is not there',
    why: 'The `>>` of the shell.',
    twin: true,
    async run(t, run) {
      const [out, err] = [path.join(t.tempDir(), 'out'), path.join(t.tempDir(), 'err')];
      for (const text of ['1', '2']) {
        const command = t.helper(`out:o${text}`, `err:e${text}`).setOutputFile(out, { append: true });
        await run(command.setErrorFile(err, { append: true }));
      }
      assert.equal(readFileSync(out, 'latin1'), 'o1o2');
      assert.equal(readFileSync(err, 'latin1'), 'e1e2');
    },
  },
  {
    id: 'merged',
    title: 'stderr goes where stdout goes, also to a file, in the order of the program',
    why: 'Two openings of one file would write over each other.',
    twin: true,
    async run(t, run) {
      const file = path.join(t.tempDir(), 'log');
      await run(t.helper('out:1', 'err:2', 'out:3').setOutputFile(file).setErrorFd('stdout'));
      assert.equal(readFileSync(file, 'latin1'), '123');
    },
  },
  {
    id: 'one-file',
    title: 'stdout and stderr to the same path are one file, in the order of the program',
    why: 'Opened twice it would keep what one of both wrote over the other.',
    twin: true,
    async run(t, run) {
      const file = path.join(t.tempDir(), 'log');
      await run(t.helper('out:1', 'err:2', 'out:3').setOutputFile(file).setErrorFile(file));
      assert.equal(readFileSync(file, 'latin1'), '123');
    },
  },
  {
    id: 'mode',
    title: 'a created file has mode 0666 less the umask',
    why: 'Another mode is a file that others cannot read, or that others can write.',
    needs: ['linux'],
    async run(t) {
      const file = path.join(t.tempDir(), 'out');
      await t.helper('out:x').setOutputFile(file).run();
      const umask = /^Umask:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '22';
      assert.equal(statSync(file).mode & 0o777, 0o666 & ~Number.parseInt(umask, 8));
    },
  },
  {
    id: 'relative',
    title: 'a relative file is relative to the caller’s directory, not the program’s',
    why: 'The caller names his files, and the program’s directory is its own affair.',
    requires: ['cwd'],
    async run(t) {
      const directory = enter(t, t.tempDir());
      await t.helper('out:x').setOutputFile('out').setWorkingDirectory(t.tempDir()).run();
      assert.equal(readFileSync(path.join(directory, 'out'), 'latin1'), 'x');
    },
  },
  {
    id: 'missing',
    title: 'a file that is not there fails at stage stdio with ENOENT',
    why: 'It must not look like a missing program.',
    twin: true,
    async run(t, run) {
      const missing = path.join(t.tempDir(), 'none');
      const expected = { stage: 'stdio', code: 'ENOENT' } as const;
      await t.rejectsStart(run(t.helper('cat').setInputFile(missing)), { ...expected, path: missing });
      const below = path.join(missing, 'out');
      await t.rejectsStart(run(t.helper('out:x').setOutputFile(below)), { ...expected, path: below });
      assert.equal(existsSync(missing), false);
    },
  },
  {
    id: 'control-characters',
    title: 'an error writes out the control characters of a file that is not there, in its causes as well',
    why: 'Node prints messages and causes as they are: a name would clear the screen, or look like another one.',
    twin: true,
    async run(t, run) {
      const missing = path.join(t.tempDir(), terminalName);
      const expected = { stage: 'stdio', code: 'ENOENT', path: missing } as const;
      writesOut(await t.rejectsStart(run(t.helper('cat').setInputFile(missing)), expected));
    },
  },
  {
    id: 'directory',
    title: 'output to a directory fails at stage stdio with EISDIR',
    why: 'The error must name the step that was wrong.',
    async run(t) {
      const directory = path.join(t.tempDir(), 'directory');
      mkdirSync(directory);
      const command = t.helper('out:x').setOutputFile(directory);
      await t.rejectsStart(command.run(), { stage: 'stdio', code: 'EISDIR', path: directory });
    },
  },
  {
    id: 'closed-after',
    title: 'files are closed in the caller when the program has them',
    why: 'A busy service would run out of descriptors.',
    needs: ['linux'],
    async run(t) {
      const file = path.join(t.tempDir(), 'out');
      const running = await t.helper('eof').setInputFd('pipe').setOutputFile(file).runAsync();
      const open = Array.from({ length: 200 }, (_, fd) => fd).filter((fd) => {
        try {
          return fstatSync(fd).ino === statSync(file).ino;
        } catch {
          return false;
        }
      });
      running.stdin.end();
      await running.wait();
      assert.deepEqual(open, []);
    },
  },
]);
