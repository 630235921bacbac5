/** `record` and `replay`, from a shell and in shell scripts. */
import { expect } from 'chai';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { openRecording } from '@vircommand/mock';
import { Command } from '@vircommand/core';
import { heldUntil, holding } from './held';
import { scratch, shell, until, vircommand } from './installed';
import { startAlone, startAtTerminal } from './started';

describe('record and replay', function () {
  this.timeout(60_000);
  if (process.platform === 'win32') return;
  const directory = scratch();
  let number = 0;
  const fresh = (): string => path.join(directory, `${++number}.json`);

  it('a shell script does without the programs what it did with them', async () => {
    const env = { FILE: fresh(), MARK: path.join(directory, 'ran') };
    const script = `
      run() { vircommand "$MODE" "$FILE" -- "$@"; }
      run sh -c 'echo ran >> "$MARK"; echo first; echo oops >&2; exit 3'; echo "status $?"
      if run sh -c 'test -d /'; then echo yes; fi
      run sh -c 'kill -TERM $$'; echo "status $?"
      run no-such-program 2>/dev/null; echo "status $?"`;
    const recorded = await shell(script, { env: { ...env, MODE: 'record' } });
    expect(recorded.stdout.split('\n')).to.deep.equal(['first', 'status 3', 'yes', 'status 143', 'status 127', '']);
    expect(recorded.stderr).to.contain('oops');
    const replayed = await shell(script, { env: { ...env, MODE: 'replay' } });
    expect(replayed).to.deep.equal(recorded);
    expect(readFileSync(env.MARK, 'utf8')).to.equal('ran\n');
    expect(statSync(env.FILE).mode & 0o777).to.equal(0o600);
  });

  it('a test replays what a shell recorded', async () => {
    const file = fresh();
    await vircommand(['record', file, '--', 'sh', '-c', 'echo from the shell']);
    const recording = await openRecording({ file, mode: 'replay' });
    const options = { backend: recording.backend, stdout: 'text', stderr: 'text' } as const;
    const { stdout } = await new Command('sh', ['-c', 'echo from the shell'], options).run();
    expect(stdout).to.equal('from the shell\n');
    await recording.finish();
  });

  it('adds to a file, and makes it anew with --overwrite; the same program again gives the same file', async () => {
    const file = fresh();
    for (const word of ['one', 'two']) await vircommand(['record', file, 'echo', word]);
    for (const word of ['one', 'two'])
      expect((await vircommand(['replay', file, 'echo', word])).stdout).to.equal(`${word}\n`);
    await vircommand(['record', '--overwrite', file, 'echo', 'one']);
    const once = readFileSync(file, 'utf8');
    await vircommand(['record', '--overwrite', file, 'echo', 'one']);
    expect(readFileSync(file, 'utf8')).to.equal(once);
    const gone = await vircommand(['replay', file, 'echo', 'two']);
    expect(gone).to.deep.include({ status: 125, stdout: '' });
    expect(gone.stderr).to.match(/^vircommand replay: [\s\S]*vircommand record records it/);
  });

  it('input is a part of the call', async () => {
    const file = fresh();
    const sort = ['-i', file, '--', 'sort'];
    expect((await vircommand(['record', ...sort], { input: 'b\na\n' })).stdout).to.equal('a\nb\n');
    expect((await vircommand(['replay', ...sort], { input: 'b\na\n' })).stdout).to.equal('a\nb\n');
    expect((await vircommand(['replay', ...sort], { input: 'c\n' })).status).to.equal(125);
  });

  (process.platform === 'linux' ? it : it.skip)(
    'at a terminal it ends with the program, and the next line is not read',
    async () => {
      const file = fresh();
      for (const how of ['record', 'replay']) {
        const after = 'echo "status $?"; read -r line; echo "next $line"; grep flags /proc/self/fdinfo/0';
        const terminal = await startAtTerminal(`vircommand ${how} -i "$FILE" -- head -n 1; ${after}`, { FILE: file });
        try {
          terminal.type('one\n');
          await terminal.wrote(/^status 0\r?\n/m);
          terminal.type('two\n');
          await terminal.wrote(/^next two\r?\n/m);
          const { text } = await terminal.end();
          expect(text.split(/\r?\n/).filter((line) => line === 'one')).to.have.lengthOf(2);
          // O_NONBLOCK is 04000 in fdinfo.
          expect(parseInt(/flags:\s*(\d+)/.exec(text)?.[1] ?? '4000', 8) & 0o4000).to.equal(0);
        } finally {
          await terminal[Symbol.asyncDispose]();
        }
      }
    },
  );

  it('what must not be in the file is not: values of variables, and what is to be redacted', async () => {
    const file = fresh();
    const say = ['--', 'sh', '-c', 'echo "$TOKEN $OPEN"'];
    const flags = ['--env', 'TOKEN=s3cret', '--env', 'OPEN=shown', '--keep-env', 'OPEN', '--redact', 's3cret'];
    const { stdout } = await vircommand(['record', ...flags, file, ...say]);
    expect(stdout).to.equal('s3cret shown\n');
    expect(readFileSync(file, 'utf8')).to.contain('shown').and.not.contain('s3cret');
  });

  it('nothing is added that only the values of variables tell from what is there, and how to is said', async () => {
    const file = fresh();
    const ask = (how: string, region: string, ...flags: string[]) =>
      vircommand([how, ...flags, '--env', `REGION=${region}`, file, '--', '/bin/sh', '-c', 'echo "$REGION"']);
    expect(await ask('record', 'eu')).to.include({ status: 0, stdout: 'eu\n' });
    const text = readFileSync(file, 'utf8');
    for (const flags of [[], ['--keep-env', 'REGION']]) {
      const { status, stdout, stderr } = await ask('record', 'us', ...flags);
      expect([status, stdout]).to.deep.equal([125, 'us\n']);
      expect(stderr)
        .to.match(/^vircommand record: .*: \/bin\/sh -c .* ran more than once, perhaps with other values of REGION, /)
        .and.match(
          / these values are not stored\. Make .* with --overwrite --keep-env REGION, or .* Nothing was saved\.\n$/,
        );
    }
    expect(readFileSync(file, 'utf8')).to.equal(text);
    for (const [region, ...flags] of [['eu', '--overwrite'], ['us']] as const)
      expect(await ask('record', region, ...flags, '--keep-env', 'REGION')).to.include({ status: 0 });
    for (const region of ['us', 'eu'])
      expect(await ask('replay', region, '--keep-env', 'REGION')).to.include({ status: 0, stdout: `${region}\n` });
  });

  it('too much output and the deadline for held output are recorded, and come again', async () => {
    let file = fresh();
    const much = (how: string) => vircommand([how, '--output-limit', '3', file, '--', 'echo', 'more']);
    let held: string[] = [];
    const recorded = await heldUntil((timeout) => {
      file = fresh();
      held = ['-t', timeout, file, ...holding];
      return vircommand(['record', ...held]);
    });
    expect(recorded.status).to.equal(124);
    expect(await much('record')).to.deep.include({ status: 125, stdout: 'mor' });
    expect(await vircommand(['replay', ...held])).to.deep.include({ status: 124, stdout: recorded.stdout });
    expect(await much('replay')).to.deep.include({ status: 125, stdout: 'mor' });
  });

  it('a signal of somebody is recorded, and waited for, however long he takes', async () => {
    const [hurry, waited] = ['hurry.cjs', 'waited'].map((name) => path.join(directory, name)) as [string, string];
    const env = { FILE: fresh(), NODE_OPTIONS: `--require=${hurry}` };
    // Longer than a replay waits for who has nothing more to do, by the time that passes with each look at it.
    writeFileSync(
      hurry,
      `let looks = 0;
      process.uptime = () => {
        if (++looks === 30) require('node:fs').writeFileSync(${JSON.stringify(waited)}, '');
        return looks;
      };`,
    );
    for (const how of ['record', 'replay']) {
      await using started = await startAlone([how, env.FILE, '--', 'sh', '-c', 'echo ready; exec sleep 1000'], env);
      await started.wrote(/ready/);
      if (how === 'replay') await until(() => existsSync(waited));
      started.send('SIGINT');
      expect(await started.end()).to.deep.include({ status: undefined, signal: 'SIGINT', text: 'ready\n' });
    }
  });

  it('a program that ended because nobody read its output ends so into a pipe, and is an error elsewhere', async () => {
    const env = { FILE: fresh(), OUT: path.join(directory, 'out') };
    const yes = `"$FILE" -- sh -c 'while :; do echo line; done'`;
    const piped = (how: string): string => `vircommand ${how} ${yes} | head -n 1; echo "\${PIPESTATUS[*]}"`;
    expect((await shell(piped('record'), { env })).stdout).to.equal('line\n141 0\n');
    // As much as it takes until it is noticed, and a reader takes it all.
    const tape = JSON.parse(readFileSync(env.FILE, 'utf8')) as { calls: { events: object[] }[] };
    expect(tape.calls[0]?.events).to.deep.include({ closed: 'stdout' });
    for (const call of tape.calls)
      call.events = [{ stdout: ['line', 'line', ''] }, { closed: 'stdout' }, { exit: 'SIGPIPE' }];
    writeFileSync(env.FILE, JSON.stringify(tape));
    expect(await shell(piped('replay'), { env })).to.deep.include({ stdout: 'line\n141 0\n', stderr: '' });
    const filed = await shell(`vircommand replay ${yes} > "$OUT"; echo $?`, { env });
    expect(filed.stdout).to.equal('125\n');
    expect(filed.stderr).to.match(/^vircommand replay: .*its reader closed its stdout .*, and nobody does that now/);
    expect(readFileSync(env.OUT, 'utf8')).to.equal('line\nline\n');
  });

  it('where the recording is of something else, what is said to do helps', async () => {
    const env = { FILE: fresh(), OUT: path.join(directory, 'out') };
    const filed = (how: string) => shell(`vircommand ${how} "$FILE" -- printf '1\n2\n' > "$OUT"; echo $?`, { env });
    await filed('record');
    const tape = JSON.parse(readFileSync(env.FILE, 'utf8')) as { calls: { events: object[] }[] };
    for (const call of tape.calls) call.events = [{ stdout: ['1', ''] }, { closed: 'stdout' }, { exit: 'SIGPIPE' }];
    for (const text of [JSON.stringify(tape), '{']) {
      writeFileSync(env.FILE, text);
      const { stdout, stderr } = await filed('replay');
      expect(stdout).to.equal('125\n');
      const [, flags = ''] = /vircommand (record.*) makes the whole recording anew\.\n$/.exec(stderr) ?? [];
      expect(stderr).to.not.match(/destroy|loop|VIRCOMMAND_RECORD/);
      expect((await filed(flags)).stdout).to.equal('0\n');
      expect(await filed('replay')).to.deep.include({ stdout: '0\n', stderr: '' });
      expect(readFileSync(env.OUT, 'utf8')).to.equal('1\n2\n');
    }
  });

  it('an exit status that no process can have here is no status of ours', async () => {
    const file = fresh();
    await vircommand(['record', file, 'true']);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"exit": 0', '"exit": 256'));
    const { status, stderr } = await vircommand(['replay', file, 'true']);
    expect(status).to.equal(125);
    expect(stderr).to.contain(`${file}: the recorded exit status is 256, and the highest that there is here is 255`);
  });

  it('a broken file, and one that is not there, are failures that say what to do', async () => {
    const file = fresh();
    expect((await vircommand(['replay', file, 'true'])).stderr).to.match(/^vircommand replay: .*vircommand record/s);
    writeFileSync(file, '{');
    const { status, stderr } = await vircommand(['replay', file, 'true']);
    expect(status).to.equal(125);
    expect(stderr).to.contain(file);
  });

  it('what is empty is refused in words of the command line', async () => {
    const said = async (...args: string[]): Promise<string> => (await vircommand(['record', ...args, 'true'])).stderr;
    const redact = 'takes a text or /a regular expression/, and no empty one';
    expect(await said('--redact', '', fresh())).to.equal(`vircommand record: --redact: ${redact}\n`);
    expect(await said('')).to.equal('vircommand record: the path of the recording is empty\n');
  });

  it('in a working directory that was removed it says so', async () => {
    const gone = 'mkdir "$GONE"; cd "$GONE"; rmdir "$GONE"';
    for (const line of ['record f.json -- true', 'replay f.json -- true', 'run --hook hook.js -- true']) {
      const env = { GONE: path.join(directory, 'gone') };
      const { stdout, stderr } = await shell(`${gone}; vircommand ${line}; echo "status $?"`, { env });
      expect(stdout).to.equal('status 125\n');
      expect(stderr).to.match(/^vircommand \w+: this needs the working directory, which was removed: [^\n]*\n$/);
    }
  });

  it('nothing is recorded where CI is set', async () => {
    const { status, stderr } = await vircommand(['record', fresh(), 'true'], { env: { CI: 'true' } });
    expect(status).to.equal(125);
    expect(stderr).to.contain('CI');
  });
});
