import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { backend, Command, CommandStartError } from '@vircommand/child-process';
import type { LaunchPlan } from '@vircommand/core/backend';
import { failure, holdings, pipe, planOf, requestOf, thrown, unchanged } from './plans';
import { program } from './programs';

const pipes = { stdin: pipe, stdout: pipe, stderr: pipe };

interface Case {
  readonly title: string;
  readonly plan: () => LaunchPlan;
  readonly stage: string;
  readonly code: string;
  /** `undefined`: the error names no path. */
  readonly path?: () => string;
  readonly text?: RegExp;
  readonly skip?: boolean;
}

const root = process.getuid?.() === 0;

describe('start errors', () => {
  let directory = '';
  const at = (name: string): string => join(directory, name);
  const script = (name: string, content: string | Buffer, mode = 0o755): string => {
    writeFileSync(at(name), content);
    chmodSync(at(name), mode);
    return at(name);
  };
  let closed = 0;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'start-error-'));
    mkdirSync(at('dir'));
    mkdirSync(at('locked'), { mode: 0o700 });
    script('plain', 'echo this is data', 0o644);
    const shell = 'echo a shell ran this; exit 7\n';
    script('no-magic', shell);
    script('empty', '');
    script('bare-magic', '#!\necho a shell ran this');
    script('elf-cut', '\x7fELF');
    script('orphan', '#!/no/such/interpreter -x\n');
    script('nested', `#!${at('no-magic')}\n`);
    script('relative', `#!no-magic\n${shell}`);
    // The kernel looks at 256 bytes.
    script('long-line', `#!/${'a'.repeat(253)}\n${shell}`);
    script('far-line', `#!${' '.repeat(248)}/bin/echo\n${shell}`);
    script('nul', `a\0b\n${shell}`);
    const binary = readFileSync('/bin/true').subarray(0, 64);
    const changed = (change: (header: Buffer) => void): Buffer => {
      const header = Buffer.from(binary);
      change(header);
      return Buffer.concat([header, Buffer.from(`\n${shell}`)]);
    };
    script('elf-header', binary);
    script(
      'elf-text',
      changed(() => undefined),
    );
    script(
      'elf-i386',
      changed((header) => header.writeUInt16LE(3, 18)),
    );
    script(
      'elf-entries',
      changed((header) => header.writeUInt16LE(0, 56)),
    );
    // The loader's name does not end.
    const endless = readFileSync('/bin/true');
    endless[endless.indexOf('\0', endless.indexOf('/lib'))] = 0x2f;
    script('elf-loader', endless);
    symlinkSync('loop', at('loop'));
    const fds = Array.from({ length: 8 }, () => openSync('/dev/null', 'r'));
    closed = fds.at(-1) ?? 0;
    for (const fd of fds) closeSync(fd);
    // High enough that no other descriptor takes the number meanwhile.
    closed += 500;
  });

  after(() => rmSync(directory, { recursive: true, force: true }));

  const big = 'x'.repeat(3_000_000);
  const cases: Case[] = [
    {
      title: 'a program that is nowhere in PATH',
      plan: () => planOf(['no-such-program-at-all']),
      stage: 'resolve',
      code: 'ENOENT',
      path: () => 'no-such-program-at-all',
    },
    {
      title: 'an absolute program that does not exist',
      plan: () => planOf([at('nothing')]),
      stage: 'exec',
      code: 'ENOENT',
      path: () => at('nothing'),
    },
    {
      title: 'a program below a file',
      plan: () => planOf([at('plain/x')]),
      stage: 'exec',
      code: 'ENOTDIR',
      path: () => at('plain/x'),
    },
    {
      title: 'a link to itself',
      plan: () => planOf([at('loop')]),
      stage: 'exec',
      code: 'ELOOP',
      path: () => at('loop'),
    },
    {
      title: 'a file that is not executable',
      plan: () => planOf([at('plain')]),
      stage: 'exec',
      code: 'EACCES',
      path: () => at('plain'),
    },
    {
      title: 'a directory',
      plan: () => planOf([at('dir')]),
      stage: 'exec',
      code: 'EACCES',
      path: () => at('dir'),
      text: /is a directory/,
    },
    {
      title: 'a script whose interpreter is missing',
      plan: () => planOf([at('orphan')]),
      stage: 'exec',
      code: 'ENOENT',
      path: () => '/no/such/interpreter',
      text: /orphan/,
    },
    ...[
      'no-magic',
      'empty',
      'bare-magic',
      'nested',
      'relative',
      'long-line',
      'far-line',
      'nul',
      'elf-cut',
      'elf-header',
      'elf-text',
      'elf-i386',
      'elf-entries',
      'elf-loader',
    ].map((name) => ({
      title: `a file that is no program (${name}), which no shell gets to see`,
      plan: () => planOf([at(name)], { ...pipes, cwd: directory }),
      stage: 'exec',
      code: 'ENOEXEC',
      path: () => at(name),
      skip: process.platform !== 'linux',
    })),
    { title: 'arguments that are too long', plan: () => planOf(['true', big], pipes), stage: 'exec', code: 'E2BIG' },
    {
      title: 'an environment that is too long',
      plan: () => planOf(['true'], { env: [['A', big]] }),
      stage: 'exec',
      code: 'E2BIG',
    },
    {
      title: 'a working directory that does not exist',
      plan: () => planOf(['true'], { cwd: at('nowhere'), ...pipes }),
      stage: 'cwd',
      code: 'ENOENT',
      path: () => at('nowhere'),
    },
    {
      title: 'a working directory that is a file',
      plan: () => planOf(['true'], { cwd: at('plain') }),
      stage: 'cwd',
      code: 'ENOTDIR',
      path: () => at('plain'),
    },
    {
      title: 'a descriptor for stdin that is not open',
      plan: () => planOf(['true'], { ...pipes, stdin: { type: 'fd', fd: closed } }),
      stage: 'stdio',
      code: 'EBADF',
      text: /descriptor \d+ is not open/,
    },
    {
      title: 'a passed descriptor that is not open',
      plan: () => planOf(['true'], { passFds: [{ fd: closed, as: 5 }] }),
      stage: 'stdio',
      code: 'EBADF',
    },
    {
      title: 'a passed descriptor with a number too high',
      plan: () => planOf(['true'], { passFds: [{ fd: 0, as: 100_000 }] }),
      stage: 'stdio',
      code: 'ERR_COMMAND_START',
    },
    {
      title: 'a file for stdin that does not exist',
      plan: () => planOf(['true'], { ...pipes, stdin: { type: 'file', path: at('nowhere'), mode: 'read' } }),
      stage: 'stdio',
      code: 'ENOENT',
      path: () => at('nowhere'),
    },
    {
      title: 'a file for stdout in a directory that does not exist',
      plan: () =>
        planOf(['true'], {
          stdin: { type: 'file', path: at('plain'), mode: 'read' },
          stdout: { type: 'file', path: at('nowhere/x'), mode: 'append' },
        }),
      stage: 'stdio',
      code: 'ENOENT',
      path: () => at('nowhere/x'),
    },
    {
      title: 'a missing program whose output would be merged',
      plan: () => planOf([at('nothing')], { stdin: pipe, stdout: pipe, stderr: { type: 'same-as-stdout' } }),
      stage: 'exec',
      code: 'ENOENT',
      path: () => at('nothing'),
    },
    {
      title: 'ids that Node does not take',
      plan: () => planOf(['true'], { privileged: { uid: 4_000_000_000, gid: 1 } }),
      stage: 'privileges',
      code: 'ERR_COMMAND_START',
    },
    {
      title: 'a relative program under a working directory that is the program’s',
      plan: () => planOf(['./no-such'], { cwd: '/' }),
      stage: 'exec',
      code: 'ENOENT',
      path: () => `${process.cwd()}/./no-such`,
    },
  ];

  for (const { title, plan, stage, code, path, text, skip } of cases) {
    const check = (error: unknown): void => {
      expect(error).to.be.instanceOf(CommandStartError);
      if (!(error instanceof CommandStartError)) return;
      expect({ stage: error.stage, code: error.code }).to.deep.equal({ stage, code });
      if (path !== undefined) expect(error.path).to.equal(path());
      if (text !== undefined) expect(error.message).to.match(text);
    };
    (skip === true ? it.skip : it)(`${title}: ${stage} ${code}, and nothing is left`, async () => {
      const held = holdings();
      check(await failure(backend.start(plan())));
      check(thrown(() => backend.startAndWaitSync?.(plan(), requestOf())));
      await unchanged(held);
    });
  }

  it('names the program first in what it says of a missing interpreter', async () => {
    const error = await failure(backend.start(planOf([at('orphan')])));
    expect(String(error)).to.match(/orphan' is a script whose interpreter '\/no\/such\/interpreter' does not exist/);
  });

  (process.platform === 'linux' ? it : it.skip)(
    'what is no program truncates no file, wherever it would begin',
    async () => {
      const path = script('kept', 'kept', 0o644);
      const plan = planOf([at('no-magic')], { cwd: at('nowhere'), stdout: { type: 'file', path, mode: 'write' } });
      for (const error of [
        await failure(backend.start(plan)),
        thrown(() => backend.startAndWaitSync?.(plan, requestOf())),
      ])
        expect(error).to.include({ stage: 'exec', code: 'ENOEXEC' });
      expect(readFileSync(path, 'utf8')).to.equal('kept');
    },
  );

  (process.platform === 'linux' ? it : it.skip)('a file that was a program when it was started before', async () => {
    copyFileSync('/bin/true', at('replaced'));
    for (let turn = 0; turn < 2; turn++) await new Command(at('replaced')).run();
    writeFileSync(at('replaced'), 'echo no shell\n');
    expect(await failure(new Command(at('replaced')).run())).to.include({ stage: 'exec', code: 'ENOEXEC' });
    copyFileSync('/bin/true', at('replaced'));
    await new Command(at('replaced')).run();
  });

  const other = process.arch === 'x64' ? 183 : 62;
  const emulated = process.platform !== 'linux' || readlinkSync('/proc/self/ns/pid') !== 'pid:[4026531836]';
  // What is emulated is not visible in a container.
  (emulated ? it.skip : it)('a program for another processor', async () => {
    const binary = readFileSync('/bin/true');
    binary.writeUInt16LE(other, 18);
    script('other', binary);
    expect(await failure(new Command(at('other')).run())).to.include({ stage: 'exec', code: 'ENOEXEC' });
  });

  const asNobody = root && process.platform === 'linux' ? it : it.skip;
  asNobody('what another user may not enter or change; and what works all the same', async () => {
    chmodSync(directory, 0o755);
    // As nobody: neither a locked directory nor another user's id.
    chmodSync(at('locked'), 0o700);
    mkdirSync(at('locked/inside'), { mode: 0o755 });
    script('locked/inside/own', '#!/bin/sh\necho own\n');
    script('locked/inside/unreadable', readFileSync('/bin/true'), 0o711);
    const { file, args } = program('as-nobody', at('locked'), at('locked/inside'));
    const result = await new Command(file, args, { stdout: 'text', stderr: 'text' }).run();
    expect(JSON.parse(result.stdout)).to.deep.equal([
      ['cwd', 'EACCES', at('locked')],
      ['cwd', 'EACCES', at('locked')],
      ['privileges', 'EPERM', null],
      ['privileges', 'EPERM', null],
      [0, 'out\nerr\n', 'out\nerr\n'],
      [0, 'own\n', 'own\n'],
      [0, null, null],
    ]);
  });

  asNobody('another user, for a program that would keep capabilities of this process', async () => {
    const { file, args } = program('as-service');
    const names = '+setuid,+setgid,+net_raw';
    const keeping = ['--inh-caps', names, '--ambient-caps', names, '--securebits', '+no_setuid_fixup'];
    const result = await new Command('setpriv', [...keeping, file, ...args], { stdout: 'text' }).run();
    const refused = 'privileges EPERM true';
    expect(JSON.parse(result.stdout)).to.deep.equal([
      ['root, as 65534', refused, refused],
      ['root, as 0', 'some', 'some'],
      ['nobody, as 65534', refused, refused],
      ['nobody, as 1', refused, refused],
      ['nobody, as itself', 'some', 'some'],
    ]);
  });

  it('no error shows the arguments, which may be secrets', async () => {
    const plan = planOf([at('missing'), 'hunter2'], pipes);
    for (const error of [
      await failure(backend.start(plan)),
      thrown(() => backend.startAndWaitSync?.(plan, requestOf())),
    ]) {
      expect(inspect(error, { depth: 9, showHidden: true }))
        .to.include('ENOENT')
        .and.not.include('hunter2');
    }
  });

  it('EMFILE: stage stdio, both ways, and the next start works once there are descriptors again', async () => {
    const { file, args } = program('few-descriptors');
    const line = 'ulimit -n 60; exec "$0" "$@"';
    const result = await new Command('sh', ['-c', line, file, ...args], { stdout: 'text', stderr: 'text' }).run();
    const report = JSON.parse(result.stdout) as Record<string, unknown>;
    for (const high of ['high59', 'high59Sync', 'high150', 'high150Sync']) expect(report[high]).to.equal('stdio EBADF');
    expect(report).to.deep.include({ async: 'stdio EMFILE', merged: 'stdio EMFILE', sync: 'stdio EMFILE' });
    expect(report).to.deep.include({ fewAsync: 'stdio EMFILE', fewSync: 'stdio EMFILE' });
    expect(report).to.deep.include({ after: 0, leaked: 0, leakedHandles: 0, unhandled: 0 });
  });

  it('the permission model: says so, async and sync', async () => {
    const { file, args } = program('forbidden');
    const flag = Number(process.versions.node.split('.')[0]) < 23 ? '--experimental-permission' : '--permission';
    const result = await new Command(file, [flag, '--allow-fs-read=*', ...args], {
      stdout: 'text',
      stderr: 'text',
    }).run();
    const [first, second] = JSON.parse(result.stdout) as [string, string];
    expect(first).to.match(/^fork ERR_ACCESS_DENIED .*permission model forbids child processes/);
    expect(second).to.equal(first);
  });
});
