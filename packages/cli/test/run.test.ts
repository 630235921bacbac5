/** `vircommand run` as a shell sees it. */
import { expect } from 'chai';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { heldUntil, holding } from './held';
import { bin, runProgram, scratch, shell, vircommand } from './installed';

const linuxOnly = process.platform === 'linux' ? it : it.skip;

describe('vircommand run', function () {
  this.timeout(60_000);
  const directory = scratch();

  describe('ends as the program did', () => {
    const ends: readonly (readonly [string, readonly string[], number])[] = [
      ['exit code 0', ['true'], 0],
      ['exit code 3', ['sh', '-c', 'exit 3'], 3],
      ['a signal', ['--no-exec', 'sh', '-c', 'kill -TERM $$'], 143],
      ['SIGKILL', ['--no-exec', 'sh', '-c', 'kill -KILL $$'], 137],
      ['SIGINT that nobody sent to us', ['--no-exec', 'sh', '-c', 'kill -INT $$'], 130],
      ['not found, without becoming it', ['--no-exec', 'no-such-program'], 127],
      ['not executable, without becoming it', ['--no-exec', '/etc/passwd'], 126],
      ['not found', ['no-such-program'], 127],
      ['not found by a path', ['./no-such-program'], 127],
      ['not executable', ['/etc/passwd'], 126],
      ['a directory', ['/'], 126],
      ['no working directory', ['--cwd', '/no/such/directory', 'true'], 125],
      ['a deadline', ['-t', '0.1', '--', 'sleep', '60'], 124],
      ['a deadline and SIGKILL', ['-t', '100ms', '-k', '0', 'sleep', '60'], 137],
    ];
    for (const [what, args, status] of ends) {
      it(`${what}: ${status}`, async () => {
        const run = await vircommand(['run', ...args]);
        expect(run).to.deep.include({ status, signal: undefined });
        if (args.includes('-t') || (status >= 125 && status <= 127))
          expect(run.stderr).to.match(/^vircommand run: [^\n]*\n/);
        else expect(run.stderr).to.equal('');
      });
    }

    it('a deadline ends all that came from it', async () => {
      const marker = `61${process.pid}`;
      const { status } = await vircommand([
        'run',
        '-t',
        '0.3',
        '--',
        'sh',
        '-c',
        `setsid sleep ${marker} & sleep ${marker}`,
      ]);
      expect(status).to.equal(124);
      expect((await runProgram(['ps', '-eo', 'args'])).stdout).to.not.contain(`sleep ${marker}`);
    });
  });

  linuxOnly('becomes the program, as env(1) does, where nobody has to look after it', async () => {
    const ids = 'echo $$; exec "$NODE" "$BIN" run --umask 7 -- sh -c \'echo $$; umask; kill -TERM $$\'';
    const run = await shell(ids);
    const [us, program, umask] = run.stdout.split('\n');
    expect(program).to.equal(us);
    expect([umask, run.signal]).to.deep.equal(['0007', 'SIGTERM']);
    const { stdout } = await shell("vircommand run -- sh -c 'kill -KILL $$'; echo $?");
    expect(stdout).to.equal('137\n');
  });

  it('stays for what somebody has to look after', async () => {
    const flags = ['--no-exec', '--timeout=9', '--kill-delay=1', '--output-limit=1M', '--stats', '--session'];
    for (const flag of [...flags, ...(process.platform === 'linux' ? ['--die-with-parent'] : [])]) {
      const { stdout } = await shell(`vircommand run ${flag} -- sh -c 'ps -o args= -p $PPID'`);
      expect(stdout, flag).to.contain(` run ${flag} -- sh -c`);
    }
  });

  it('a shell sees the status in $?, in && and in loops', async () => {
    const script =
      'vircommand run false || echo no; vircommand run -- sh -c "exit 7"; echo $?; vircommand run true && echo yes';
    expect((await shell(script)).stdout).to.equal('no\n7\nyes\n');
  });

  linuxOnly('the program has our own stdin, stdout and stderr, and no other descriptor', async () => {
    const file = path.join(directory, 'input');
    writeFileSync(file, 'some input\n');
    // Whoever reads the list has one more.
    const list = 'for fd in 0 1 2; do readlink /proc/self/fd/$fd; done; echo /proc/self/fd/*';
    const script = `exec 7<"$FILE" 20<"$FILE"; vircommand run -- sh -c '${list}' <"$FILE" 2>"$FILE.err" | cat`;
    const { stdout } = await shell(script, { env: { FILE: file } });
    const [stdin, out, err, all] = stdout.split('\n');
    expect([stdin, err]).to.deep.equal([file, `${file}.err`]);
    expect(out).to.match(/^pipe:/);
    expect(all?.split(' ').map((fd) => path.basename(fd))).to.not.include.members(['7', '20']);
  });

  linuxOnly('what both write to one file comes one after another, and the position is common', async () => {
    const script = '(echo one; vircommand run -- echo two; echo three) > "$FILE"; cat "$FILE"';
    expect((await shell(script, { env: { FILE: path.join(directory, 'common') } })).stdout).to.equal(
      'one\ntwo\nthree\n',
    );
  });

  linuxOnly('never makes the files that it shares nonblocking', async () => {
    // O_NONBLOCK is 04000 in fdinfo.
    const flags = 'grep flags /proc/self/fdinfo/0 /proc/self/fdinfo/1 /proc/self/fdinfo/2';
    const { stdout } = await shell(`echo | vircommand run -- sh -c '${flags}' 2>&1 | cat`);
    const modes = stdout
      .trim()
      .split('\n')
      .map((line) => parseInt(line.replace(/.*\t/, ''), 8));
    expect(modes).to.have.lengthOf(3);
    for (const mode of modes) expect(mode & 0o4000).to.equal(0);
  });

  linuxOnly('arguments reach the program byte for byte', async () => {
    const { stdout } = await shell(
      `vircommand run -- printf '%s|' $'a\\xffb' '' ' ' $'\\xc3\\xa4' $'\\xef\\xbf\\xbd' | od -An -tx1`,
    );
    expect(stdout.replace(/\s+/g, ' ').trim()).to.equal('61 ff 62 7c 7c 20 7c c3 a4 7c ef bf bd 7c');
  });

  it('the environment is what the flags say', async () => {
    const env = { A: '1', SECRET: 'x' };
    const lines = async (...args: string[]): Promise<string[]> =>
      (await vircommand(['run', ...args, '--', '/usr/bin/env'], { env })).stdout.trim().split('\n');
    expect(await lines()).to.include.members(['A=1', 'SECRET=x']);
    expect(await lines('--env-pass', 'A', '--env', 'B=2')).to.deep.equal(['A=1', 'B=2']);
    expect(await lines('--clean-env')).to.deep.equal(['']);
  });

  linuxOnly('a variable is passed on byte for byte', async () => {
    const { stdout } = await shell(`X=$'a\\xff' vircommand run --env-pass X -- /usr/bin/env | od -An -tx1`);
    expect(stdout.trim()).to.equal('58 3d 61 ff 0a');
  });

  it('files in place of our streams: truncated, appended to, and one for both', async () => {
    const file = path.join(directory, 'redirected');
    const say = ['--', 'sh', '-c', 'echo out; echo err >&2'];
    await vircommand(['run', '--stdout', file, '--stderr', file, ...say]);
    expect(readFileSync(file, 'utf8')).to.equal('out\nerr\n');
    const { stderr } = await vircommand(['run', '--stdout', file, '--append', ...say]);
    expect([readFileSync(file, 'utf8'), stderr]).to.deep.equal(['out\nerr\nout\n', 'err\n']);
    expect((await vircommand(['run', '--stdin', file, 'cat'], { input: 'other' })).stdout).to.equal('out\nerr\nout\n');
  });

  it('one file for both is opened once, however it is spelled', async () => {
    const own = path.join(directory, 'spelled');
    const file = path.join(own, 'file');
    mkdirSync(own);
    symlinkSync(own, path.join(own, 'link'));
    symlinkSync('file', path.join(own, 'alias'));
    symlinkSync(path.join(own, 'alias'), path.join(own, 'alias of alias'));
    mkdirSync(path.join(own, 'deep', 'er'), { recursive: true });
    symlinkSync(path.join('deep', 'er'), path.join(own, 'far'));
    symlinkSync('far/../../file', path.join(own, 'up'));
    symlinkSync('loop', path.join(own, 'loop'));
    const say = ['--', 'sh', '-c', 'echo out; echo err >&2'];
    for (const [stdout, stderr, isThere] of [
      ['file', file, false],
      [file, './file', true],
      ['link/file', 'file', false],
      ['file', 'alias', true],
      ['file', 'alias', false],
      ['alias of alias', file, false],
      ['up', 'file', false],
      ['far/../../file', 'alias of alias', false],
    ] as const) {
      rmSync(file, { force: true });
      if (isThere) writeFileSync(file, 'before\n');
      await vircommand(['run', '--stdout', stdout, '--stderr', stderr, ...say], { cwd: own });
      expect(readFileSync(file, 'utf8'), `${stdout} ${stderr}`).to.equal('out\nerr\n');
    }
    expect((await vircommand(['run', '--stdout', 'loop', '--stderr', 'loop', ...say], { cwd: own })).stderr).to.match(
      /ELOOP/,
    );
    await vircommand(['run', '--stdout', 'one', '--stderr', 'two', ...say], { cwd: own });
    expect(['one', 'two'].map((name) => readFileSync(path.join(own, name), 'utf8'))).to.deep.equal(['out\n', 'err\n']);
  });

  linuxOnly('a passed descriptor arrives by its number, or by another one', async () => {
    const script = `vircommand run --pass-fd 7 --pass-fd 7:9 -- sh -c 'cat <&7; readlink /proc/self/fd/9' 7<"$FILE"`;
    const file = path.join(directory, 'passed');
    writeFileSync(file, 'passed\n');
    expect((await shell(script, { env: { FILE: file } })).stdout).to.equal(`passed\n${file}\n`);
  });

  describe('--output-limit', () => {
    it('hands all through up to the limit, and no byte more', async () => {
      const five = await vircommand(['run', '--output-limit', '5', '--', 'sh', '-c', 'printf 12345; printf abc >&2']);
      expect(five).to.deep.include({ status: 0, stdout: '12345', stderr: 'abc' });
      const six = await vircommand(['run', '--output-limit', '5', '--', 'sh', '-c', 'printf 123456; exec sleep 60']);
      expect(six).to.deep.include({ status: 125, stdout: '12345' });
      expect(six.stderr).to.match(/^vircommand run: the program wrote more than 5 bytes: sh -c /);
    });

    it('too much is too much also of a program that has ended by then, and of what came from it', async () => {
      const own = await vircommand(['run', '--output-limit', '1K', '--', 'sh', '-c', 'head -c 5000 /dev/zero; exit 3']);
      expect(own).to.deep.include({ status: 125, stdout: '\0'.repeat(1024) });
      expect(own.stderr).to.match(/^vircommand run: the program wrote more than 1024 bytes: sh -c /);
      const left = await vircommand(['run', '--output-limit', '5', '--', 'sh', '-c', 'yes & echo err >&2']);
      expect(left).to.deep.include({ status: 125, stdout: 'y\ny\ny' });
    });

    it('the deadline is also for output that is held when the program has ended', async () => {
      const { status, stderr } = await heldUntil((timeout) =>
        vircommand(['run', '--output-limit', '1K', '-t', timeout, ...holding]),
      );
      expect(status).to.equal(124);
      expect(stderr).to.match(/^vircommand run: Command timed out after \d+ ms: sh -c /);
    });

    it('a reader that is gone ends the program as a pipe would', async () => {
      const { stdout } = await shell('vircommand run --output-limit 1G -- yes | head -1; echo "${PIPESTATUS[0]}"');
      expect(stdout).to.equal('y\n141\n');
    });

    linuxOnly('a reader that does not read keeps the deadline from nobody', async () => {
      const script = 'mkfifo "$FIFO"; exec 9<>"$FIFO"; vircommand run --output-limit 1G -t 0.2 -- yes >&9; echo $?';
      const { stdout } = await shell(script, { env: { FIFO: path.join(directory, 'fifo') } });
      expect(stdout).to.match(/^124\n$/);
    });
  });

  it('a run that never ends, and of which nothing is left to wait for, is a failure and no success', async () => {
    const file = path.join(directory, 'never.cjs');
    const index = path.join(path.dirname(bin()), '..', 'dist', 'index.js');
    writeFileSync(
      file,
      `const features = Object.freeze(['fd-stdio', 'kill-on-parent-exit']);
      const never = { contract: 1, name: 'never', features, start: () => new Promise(() => undefined) };
      require(${JSON.stringify(index)}).runProcess({ backend: () => never });`,
    );
    const { status, stderr } = await runProgram([process.execPath, file, 'run', 'true']);
    expect(stderr).to.match(/^vircommand run: nothing is left that could bring this to an end: /);
    expect(status).to.equal(125);
  });

  it('--dry-run prints what a shell reads back, and starts nothing', async () => {
    const file = path.join(directory, 'never');
    const args = ['run', '--dry-run', '--env', 'A=b c', '--user', 'root', '--', 'touch', file, "it's"];
    const { stdout, status } = await vircommand(args);
    expect([stdout, status]).to.deep.equal([`A='b c' touch ${file} 'it'\\''s'\n`, 0]);
    expect(() => readFileSync(file)).to.throw('ENOENT');
    expect((await vircommand(['run', '-n', 'no-such-program'])).stdout).to.equal('no-such-program\n');
  });

  linuxOnly('--user takes the answer of getent(1) for nobody but the one that it asked for', async () => {
    const directories = path.join(directory, 'getent-is-here');
    mkdirSync(directories);
    writeFileSync(
      path.join(directories, 'getent'),
      '#!/bin/sh\ncase $2 in nemo | 4242) echo nemo:x:4242:77::/: ;; -*) echo "Usage: getent" ;; *) echo root:x:0:0::/: ;; esac\n',
      { mode: 0o755 },
    );
    const env = { PATH: `${directories}:${process.env.PATH ?? ''}` };
    const asked = (...flags: string[]) => vircommand(['run', '--dry-run', ...flags, 'true'], { env });
    for (const name of ['nemo', '4242']) expect(await asked('--user', name)).to.deep.include({ status: 0, stderr: '' });
    for (const [name, reason] of [
      ['4294967296', 'takes a name or a number from 0 to 4294967294'],
      ['4243', 'nobody knows the group of user 4243'],
      [' 0', "there is no user ' 0'"],
      ['', 'takes a name or a number'],
      ['--help', "there is no user '--help'"],
    ] as const) {
      const { status, stderr } = await asked(`--user=${name}`);
      expect(status, name).to.equal(125);
      expect(stderr).to.contain(`vircommand run: --user: ${reason}`);
    }
    for (const flag of ['--group= 0', '--groups= 0'])
      expect((await asked(flag)).stderr).to.contain('there is no group');
  });

  it('--stats tells time, memory and context switches on stderr, and what cannot be known', async () => {
    const busy = ['sh', '-c', 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo out'];
    const { stdout, stderr } = await vircommand(['run', '--stats', '--backend', 'child-process', '--', ...busy]);
    expect(stdout).to.equal('out\n');
    expect(stderr).to.match(
      /^time {6}\d+\.\d+ s\nmemory {4}unknown \(the backend child-process cannot tell\)\nswitches {2}unknown \(.*\)\n$/,
    );
  });

  linuxOnly('--stats of the backend posix are those of the kernel', async () => {
    // More than node has itself, which is all that could be said otherwise.
    const big = ['--', process.execPath, '-e', 'const b = Buffer.alloc(150e6, 1); setTimeout(() => {}, 20)'];
    const { stderr } = await vircommand(['run', '--stats', '-b', 'posix', ...big]);
    const [, mib] =
      /^time {6}\S+ s, of it user \S+ s, system \S+ s\nmemory {4}(\d+)\.\d MiB at most\nswitches {2}\d+ voluntary, \d+ involuntary\n$/.exec(
        stderr,
      ) ?? [];
    expect(Number(mib)).to.be.within(150, 400);
  });

  it('--stats come after a deadline too', async () => {
    const { stderr, status } = await vircommand(['run', '--stats', '-t', '0.1', '--', 'sleep', '60']);
    expect(status).to.equal(124);
    expect(stderr).to.match(/^time {6}[\s\S]*\nvircommand run: Command timed out after 100 ms: sleep 60\n$/);
  });

  it('the backend is the one that is named, and else the one of VIRCOMMAND_BACKEND', async () => {
    const raw = ['run', '--argv0', 'x', '--process-group', 'own', 'true'];
    expect((await vircommand(raw, { env: { VIRCOMMAND_BACKEND: 'child-process' } })).stderr).to.contain(
      "The backend child-process cannot do 'process-group'",
    );
    expect((await vircommand(['run', '-b', 'ssh', 'true'])).stderr).to.equal(
      "vircommand run: --backend: 'ssh' cannot be used: it is none of posix, child-process\n",
    );
    const broken = await vircommand(['run', '-b', 'posix', 'true'], { env: { VIRCOMMAND_FFI: 'none' } });
    expect(broken.status).to.equal(125);
    expect(broken.stderr).to.contain("--backend: 'posix' cannot be used: ");
    // Nobody named one: the next best.
    expect((await vircommand(['run', 'true'], { env: { VIRCOMMAND_FFI: 'none' } })).status).to.equal(0);
  });
});
