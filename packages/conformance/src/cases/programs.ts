/** Which program is run and where, and what it is called when that cannot be. */
import * as assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import * as path from 'node:path';
import { CommandError, type Command, type Stage } from '@vircommand/core';
import type { CaseContext } from '../types';
import { enter, group, rejection, setVariables, terminalName, writesOut, type Definition } from './define';

/** A file with a content and a mode. */
function file(t: CaseContext, content: string, mode: number, name = 'program', directory = t.tempDir()): string {
  const at = path.join(directory, name);
  writeFileSync(at, content);
  chmodSync(at, mode);
  return at;
}

const script = '#!/bin/sh\necho "$@" from a script\n';
const scriptSays = (text: string): string => `#!/bin/sh\necho ${text}\n`;

/** A directory that cannot be entered. */
const wrongDirectory = (id: string, code: string, what: string, make: (t: CaseContext) => string): Definition => ({
  id,
  title: `${what} as working directory fails at stage cwd with ${code}`,
  why: 'It looks like a missing program otherwise, as the system has one number for both.',
  twin: true,
  run: async (t, run) => {
    const directory = make(t);
    const command = t.helper('exit:0').setWorkingDirectory(directory);
    await t.rejectsStart(run(command), { stage: 'cwd', code, path: directory });
  },
});

export const directoryCases = group('directory', { requires: ['cwd'] }, [
  {
    id: 'set',
    title: 'a program begins in the directory that was said',
    why: 'Relative names of the program lead from there.',
    twin: true,
    async run(t, run) {
      const directory = path.join(t.tempDir(), 'with space ü');
      mkdirSync(directory);
      const { stdout } = await run(t.helper('cwd').setWorkingDirectory(directory).setOutputBuffer());
      assert.equal(stdout, `${directory}\n`);
    },
  },
  {
    id: 'relative',
    title: 'a relative directory is relative to that of the parent',
    why: 'So is every relative name that a caller writes.',
    async run(t) {
      const directory = t.tempDir();
      const command = t.helper('cwd').setWorkingDirectory(path.relative(process.cwd(), directory));
      assert.equal((await command.setOutputBuffer().run()).stdout, `${directory}\n`);
    },
  },
  {
    id: 'relative-now',
    title: 'a relative directory is relative to where the parent is at the time of the start',
    why: 'Commands and backends can be made long before, and the parent has gone elsewhere.',
    twin: true,
    async run(t, run) {
      const command = t.helper('cwd').setWorkingDirectory('inner').setOutputBuffer();
      const directory = path.join(enter(t, t.tempDir()), 'inner');
      mkdirSync(directory);
      assert.equal((await run(command)).stdout, `${directory}\n`);
    },
  },
  {
    id: 'parent-stays',
    title: 'the parent stays where it is, also while the program starts',
    why: 'Changing the directory of the whole process breaks everything else that runs in it.',
    async run(t) {
      const before = process.cwd();
      const starting = t.helper('eof').setInputFd('pipe').setWorkingDirectory(t.tempDir()).runAsync();
      assert.equal(process.cwd(), before);
      const running = await starting;
      assert.equal(process.cwd(), before);
      running.stdin.end();
      await running.wait();
    },
  },
  {
    id: 'program',
    title: 'a relative program is relative to the directory of the parent',
    why: 'The program’s directory is entered later; the same name would mean another file there.',
    needs: ['posix', 'any-program'],
    async run(t) {
      file(t, script, 0o755, 'program', enter(t, t.tempDir()));
      const command = new t.Command('./program', ['x']).setWorkingDirectory(t.tempDir());
      assert.equal((await command.setOutputBuffer().run()).stdout, 'x from a script\n');
    },
  },
  {
    id: 'longest',
    title: 'a directory may have as long a path as the system takes',
    why: 'What a backend adds to it must not be what makes it too long.',
    needs: ['linux'],
    twin: true,
    async run(t, run) {
      const directory = t.tempDir();
      // 4096 with the NUL behind it.
      const slashes = '/'.repeat(4095 - Buffer.byteLength(directory));
      const { stdout } = await run(
        t
          .helper('cwd')
          .setWorkingDirectory(slashes + directory)
          .setOutputBuffer(),
      );
      assert.equal(stdout, `${directory}\n`);
    },
  },
  wrongDirectory('missing', 'ENOENT', 'what is not there', (t) => path.join(t.tempDir(), 'none')),
  wrongDirectory('file', 'ENOTDIR', 'a file', (t) => file(t, '', 0o644)),
  {
    id: 'missing-then',
    title: 'a directory that is not there is what fails, also if the parent goes where there is one of that name',
    why: 'The error would blame a program that is all right.',
    async run(t) {
      const elsewhere = t.tempDir();
      mkdirSync(path.join(elsewhere, 'inner'));
      enter(t, t.tempDir());
      const starting = t.helper('exit:0').setWorkingDirectory('inner').run();
      process.chdir(elsewhere);
      await t.rejectsStart(starting, { stage: 'cwd', code: 'ENOENT', path: 'inner' });
    },
  },
  {
    id: 'forbidden',
    title: 'a directory that may not be entered fails at stage cwd with EACCES',
    why: 'It looks like a program that may not be executed otherwise.',
    needs: ['posix'],
    async run(t) {
      if (process.getuid?.() === 0) t.notChecked('root may enter every directory');
      const directory = path.join(t.tempDir(), 'closed');
      mkdirSync(directory, { mode: 0o600 });
      const command = t.helper('exit:0').setWorkingDirectory(directory);
      await t.rejectsStart(command.run(), { stage: 'cwd', code: 'EACCES', path: directory });
    },
  },
]);

export const programCases = group('program', { needs: ['posix', 'any-program'] }, [
  {
    id: 'by-name',
    title: 'a program is found by its name in the parent’s PATH',
    why: 'Nobody writes /usr/bin in front of every name.',
    twin: true,
    async run(t, run) {
      const directory = t.tempDir();
      file(t, script, 0o755, 'conformance-tool', directory);
      setVariables(t, { PATH: `${directory}:${process.env.PATH ?? ''}` });
      const { stdout } = await run(new t.Command('conformance-tool', ['x']).setOutputBuffer());
      assert.equal(stdout, 'x from a script\n');
    },
  },
  {
    id: 'parents-path',
    title: 'the PATH of the program’s own environment is not searched',
    why: 'virCommand: what is run must not depend on what is handed to it.',
    async run(t) {
      const command = new t.Command('sh', ['-c', 'echo "$PATH"']).addEnvPair('PATH', '/no/such/directory');
      assert.equal((await command.setOutputBuffer().run()).stdout, '/no/such/directory\n');
    },
  },
  {
    id: 'first-executable',
    title: 'what cannot be executed is passed over in PATH',
    why: 'A directory or a data file of that name must not hide the program.',
    async run(t) {
      const [first, second, third] = [t.tempDir(), t.tempDir(), t.tempDir()];
      file(t, scriptSays('first'), 0o644, 'conformance-tool', first);
      mkdirSync(path.join(second, 'conformance-tool'));
      file(t, scriptSays('third'), 0o755, 'conformance-tool', third);
      setVariables(t, { PATH: [first, second, third, process.env.PATH].join(':') });
      assert.equal((await new t.Command('conformance-tool').setOutputBuffer().run()).stdout, 'third\n');
    },
  },
  {
    id: 'renamed-directory',
    title: 'a relative program is looked for where the parent is, whatever has the name of that directory by now',
    why: 'Node remembers the name: where a new version takes the place of the old one, the wrong program would run.',
    needs: ['linux'],
    twin: true,
    async run(t, run) {
      const all = t.tempDir();
      const named = path.join(all, 'named');
      mkdirSync(named);
      file(t, scriptSays('right'), 0o755, 'program', named);
      enter(t, named);
      assert.equal(process.cwd(), named);
      renameSync(named, path.join(all, 'renamed'));
      mkdirSync(named);
      file(t, scriptSays('wrong'), 0o755, 'program', named);
      setVariables(t, { PATH: `.:${process.env.PATH ?? ''}` });
      for (const name of ['./program', 'program'])
        assert.equal((await run(new t.Command(name).setOutputBuffer())).stdout, 'right\n');
    },
  },
  {
    id: 'link',
    title: 'a program may be a symbolic link',
    why: 'Half of /usr/bin is.',
    async run(t) {
      const link = path.join(t.tempDir(), 'link');
      symlinkSync(file(t, script, 0o755), link);
      assert.equal((await new t.Command(link, ['x']).setOutputBuffer().run()).stdout, 'x from a script\n');
    },
  },
  {
    id: 'odd-name',
    title: 'the name of a program may have any character',
    why: 'Where a shell is in between, a space is the end of the name.',
    async run(t) {
      const program = file(t, script, 0o755, "it's a $(program) ; ü");
      assert.equal((await new t.Command(program, ['x']).setOutputBuffer().run()).stdout, 'x from a script\n');
    },
  },
  {
    id: 'raw-name',
    title: 'the name of a program may be bytes that are no UTF-8',
    why: 'Such files exist, and must not be confused with those of the replaced characters.',
    requires: ['raw-bytes'],
    async run(t) {
      const name = Buffer.concat([Buffer.from(`${t.tempDir()}/`), Buffer.from([0x70, 0xff, 0x71])]);
      writeFileSync(name, script);
      chmodSync(name, 0o755);
      assert.equal((await new t.Command(name, ['x']).setOutputBuffer().run()).stdout, 'x from a script\n');
    },
  },
]);

/** A program that cannot be executed; `wrong`: the path that is to blame, if it is another one. */
const wrongProgram = (
  id: string,
  code: string,
  what: string,
  why: string,
  make: (t: CaseContext) => string,
  wrong?: string,
): Definition => ({
  id,
  title: `${what} fails at stage exec with ${code}`,
  why,
  twin: true,
  run: async (t, run) => {
    const program = make(t);
    const command = new t.Command(program).setOutputBuffer();
    await t.rejectsStart(run(command), { stage: 'exec', code, path: wrong ?? program });
  },
});

export const startErrorCases = group('start-error', { needs: ['posix'] }, [
  wrongProgram(
    'missing',
    'ENOENT',
    'a program that is not there',
    'The most common mistake must be told from a program that failed.',
    (t) => path.join(t.tempDir(), 'none'),
  ),
  wrongProgram('missing-directory', 'ENOENT', 'a program in a directory that is not there', 'As above.', (t) =>
    path.join(t.tempDir(), 'none', 'none'),
  ),
  wrongProgram(
    'not-executable',
    'EACCES',
    'a file that may not be executed',
    'The remedy is chmod, and not to install anything.',
    (t) => file(t, script, 0o644),
  ),
  wrongProgram('directory', 'EACCES', 'a directory', 'It has the execute bit, and is no program.', (t) => t.tempDir()),
  wrongProgram('below-file', 'ENOTDIR', 'a path that leads through a file', 'The path is wrong in the middle.', (t) =>
    path.join(file(t, script, 0o755), 'x'),
  ),
  wrongProgram(
    'no-interpreter',
    'ENOENT',
    'a script whose interpreter is not there',
    'The script is there; what is missing is in its first line.',
    (t) => file(t, '#!/no/such/interpreter\n', 0o755),
    '/no/such/interpreter',
  ),
  wrongProgram(
    'no-format',
    'ENOEXEC',
    'a text without #! in its first line',
    'A shell may run it, and then does something else than the system: there never is a shell.',
    (t) => file(t, 'echo not run by a shell\n', 0o755),
  ),
  wrongProgram('empty-file', 'ENOEXEC', 'an empty file', 'A broken download or a full disk.', (t) =>
    file(t, '', 0o755),
  ),
  wrongProgram('loop', 'ELOOP', 'a link that leads to itself', 'It is there, and leads nowhere.', (t) => {
    const link = path.join(t.tempDir(), 'loop');
    symlinkSync(link, link);
    return link;
  }),
  {
    id: 'not-in-path',
    title: 'a name that is not in PATH fails at stage resolve with ENOENT',
    why: 'The remedy is to install it, or to set PATH.',
    twin: true,
    async run(t, run) {
      setVariables(t, { PATH: t.tempDir() });
      const path = 'conformance-none';
      await t.rejectsStart(run(new t.Command(path)), { stage: 'resolve', code: 'ENOENT', path });
    },
  },
  {
    id: 'file-stays',
    title: 'a program that is not found leaves the file for its output as it was',
    why: 'What was there is lost for a start that was none.',
    // An error from elsewhere may come after the file was opened there.
    requires: ['local-pid'],
    twin: true,
    async run(t, run) {
      setVariables(t, { PATH: t.tempDir() });
      const output = file(t, 'before', 0o644);
      const command = new t.Command('conformance-none').setOutputFile(output);
      await t.rejectsStart(run(command), { stage: 'resolve', code: 'ENOENT' });
      assert.equal(readFileSync(output, 'utf8'), 'before');
    },
  },
  {
    id: 'in-path-not-executable',
    title: 'a name that is in PATH, but cannot be executed, fails at stage resolve with EACCES',
    why: 'It was found; the remedy is another one.',
    async run(t) {
      const directory = t.tempDir();
      file(t, script, 0o644, 'conformance-tool', directory);
      setVariables(t, { PATH: directory });
      const path = 'conformance-tool';
      await t.rejectsStart(new t.Command(path).run(), { stage: 'resolve', code: 'EACCES', path });
    },
  },
  {
    id: 'system',
    title: 'the error has the number and the call of the system’s error',
    why: 'Whoever reports it further, or looks for it in a trace, goes by them.',
    // An error from elsewhere may come with less.
    requires: ['local-pid'],
    twin: true,
    async run(t, run) {
      const wrong = [new t.Command('/no/such/program')];
      if (t.has('cwd')) wrong.push(t.helper('exit:0').setWorkingDirectory('/no/such/directory'));
      for (const command of wrong) {
        const { errno, syscall } = await t.rejectsStart(run(command), { stage: ['exec', 'cwd'], code: 'ENOENT' });
        assert.equal(errno, -constants.errno.ENOENT);
        assert.ok(typeof syscall === 'string' && syscall !== '');
      }
    },
  },
  {
    id: 'control-characters',
    title: 'an error writes out the control characters of what is not there, in its causes as well',
    why: 'Node prints messages and causes as they are: a name would clear the screen, or look like another one.',
    twin: true,
    async run(t, run) {
      setVariables(t, { PATH: t.tempDir() });
      const directory = t.tempDir();
      const below = path.join(directory, terminalName);
      const wrong: [Command, Stage, string][] = [
        [new t.Command(terminalName), 'resolve', terminalName],
        [new t.Command(below), 'exec', below],
        [new t.Command(file(t, `#!${below}\n`, 0o755, 'program', directory)), 'exec', below],
      ];
      if (t.has('cwd')) wrong.push([t.helper('exit:0').setWorkingDirectory(below), 'cwd', below]);
      for (const [command, stage, given] of wrong) {
        writesOut(await t.rejectsStart(run(command), { stage, code: 'ENOENT', path: given }));
      }
    },
  },
  {
    id: 'all-ways',
    title: 'every way to run a command that cannot start rejects with the same error',
    why: 'Callers handle it in one place.',
    async run(t) {
      const expected = { stage: 'exec', code: 'ENOENT' } as const;
      const command = (): InstanceType<typeof t.Command> => new t.Command('/no/such/program');
      await t.rejectsStart(command().run(), expected);
      await t.rejectsStart(command().runAsync(), expected);
      await t.rejectsStart(command().runLines().next(), expected);
      await t.rejectsStart(command().runRegex([/x/]).next(), expected);
      await t.rejectsStart(command().runNul(1).next(), expected);
      await t.rejectsStart(command().setInputFd('pipe').setOutputFd('pipe').setErrorFd('pipe').runAsync(), expected);
      await t.rejectsStart(command().setInputBuffer('x').setOutputBuffer().setErrorBuffer().run(), expected);
    },
  },
  {
    id: 'check-does-not-matter',
    title: 'a failed start is an error also where every exit code is accepted',
    why: 'Nothing ran: there is no exit code.',
    async run(t) {
      const command = new t.Command('/no/such/program').rawStatus();
      await t.rejectsStart(command.run({ check: false }), { stage: 'exec', code: 'ENOENT' });
    },
  },
  {
    id: 'not-for-good',
    title: 'a command whose start failed can be run again',
    why: 'What was missing may be there by then; upstream’s command could never run again.',
    needs: ['any-program'],
    async run(t) {
      const program = path.join(t.tempDir(), 'program');
      const command = new t.Command(program, ['x']).setOutputBuffer();
      await t.rejectsStart(command.run(), { stage: 'exec', code: 'ENOENT' });
      writeFileSync(program, script);
      chmodSync(program, 0o755);
      assert.equal((await command.run()).stdout, 'x from a script\n');
    },
  },
  {
    id: 'no-descriptors',
    title: 'without a free descriptor a start fails at stage stdio with EMFILE, and works again later',
    why: 'It happens in busy services: it must be told from a missing program, and lose nothing.',
    // What starts programs elsewhere need not have descriptors for each of them here.
    requires: ['local-pid'],
    needs: ['linux'],
    twin: true,
    async run(t, run) {
      const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
      if (limit === undefined || Number(limit) > 50_000) t.notChecked('too many descriptors to use them all up');
      const command = t.helper('out:x').setOutputBuffer();
      await run(command);
      const taken: number[] = [];
      const giveBack = (): void => taken.splice(0).forEach(closeSync);
      t.cleanup(giveBack);
      try {
        for (;;) taken.push(openSync('/dev/null', 'r'));
      } catch {
        // All are taken.
      }
      try {
        await t.rejectsStart(run(command), { stage: 'stdio', code: 'EMFILE' });
      } finally {
        giveBack();
      }
      assert.equal((await run(command)).stdout, 'x');
    },
  },
  {
    id: 'mixed',
    title: 'starts that fail do not disturb those that succeed beside them',
    why: 'What one start cleans up must be its own.',
    async run(t) {
      const runs = Array.from({ length: 40 }, async (_, index) => {
        if (index % 2 === 0)
          return (await t.helper('cat').setInputBuffer(String(index)).setOutputBuffer().run()).stdout;
        const command = new t.Command('/no/such/program').setInputBuffer('x').setOutputBuffer();
        return (await rejection(command.run(), CommandError)).command;
      });
      const expected = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? String(index) : '/no/such/program'));
      assert.deepEqual(await Promise.all(runs), expected);
    },
  },
]);
