import { expect } from 'chai';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { Command } from '@vircommand/child-process';
import { whyNot } from '@vircommand/posix';
import { Table } from '../src/table';

/** Runs an example as a person would, by its source. */
function example(name: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const file = path.join(__dirname, '..', 'src', `${name}.ts`);
  const loaded = [...process.execArgv, '-r', 'ts-node/register/transpile-only', file, ...args];
  const command = new Command(process.execPath, loaded, {
    cwd: path.join(__dirname, '..'),
    stdout: 'text',
    stderr: 'text',
  });
  for (const [variable, value] of Object.entries({ ...process.env, ...env })) {
    if (value !== undefined) command.addEnvPair(variable, value);
  }
  return command.run({ check: false, timeout: 120_000 });
}

describe('the examples', function () {
  this.timeout(120_000);
  // They run what every Linux machine has.
  if (process.platform !== 'linux') return;

  it('report on this host, every step and every failure as expected', async () => {
    const { stdout, stderr, exitCode } = await example('host-report');
    expect(stderr).to.equal('');
    expect(exitCode).to.equal(0);
    expect(stdout).to.match(/✔ kernel +uname -srm +Linux/);
    expect(stdout).to.match(/sorted by sort +sort -n +8 9 10 /);
    expect(stdout).to.match(/2>&1 in order .* one, two, three /);
    expect(stdout).to.match(/clean environment +REGION=eu TOKEN='\*\*\*' env +2 variables, and no others/);
    expect(stdout).to.match(
      /exit code .* ERR_COMMAND_EXIT .*\n +CommandExitError: .*: ls \/no\/such\/directory\n +ls: /,
    );
    expect(stdout).to.match(/missing program .* ENOENT, stage resolve /);
    expect(stdout).to.match(/wrong directory .* ENOENT, stage cwd /);
    expect(stdout).to.match(/deadline .* ERR_COMMAND_TIMEOUT .*\n +CommandTimeoutError: Command timed out after 50 ms/);
    // The sources may have come without their history.
    expect(stdout.replace(/✘ last commit .* fatal: /, '')).to.not.contain('✘');
    expect(stdout).to.not.contain('hunter2');
    if (whyNot() === undefined) expect(stdout).to.contain('by posix and child-process');
  });

  it('report what a poor machine lacks, and go on', async () => {
    const { stdout, stderr, exitCode } = await example('host-report', [], { PATH: '', VIRCOMMAND_FFI: 'none' });
    expect(stderr).to.equal('');
    expect(exitCode).to.equal(0);
    expect(stdout).to.match(/^Without posix: .*'none'/);
    expect(stdout).to.match(/– kernel +uname -srm +not on this machine \(ENOENT\)/);
    expect(stdout).to.match(/missing program .* ENOENT, stage resolve /);
  });

  it('fit in a narrow terminal', () => {
    const cells = ['what', 'a'.repeat(70), 'b'.repeat(90), '1.0 ms'];
    const rows = [{ mark: 'good' as const, cells, below: 'several words '.repeat(10).trim() }];
    for (const columns of [60, 80, 100]) {
      const lines = new Table(['', 'command', 'answer', 'time'], rows, columns).text().split('\n');
      expect(lines).to.have.lengthOf.above(3);
      for (const line of lines) expect(line).to.have.lengthOf.at.most(columns);
    }
  });

  it('waits for a line, and leaves nothing of the server', async () => {
    const marker = `6${String(process.pid)}`;
    const server = `echo starting; echo ready >&2; setsid sleep ${marker} & sleep ${marker}`;
    const { stdout, exitCode } = await example('wait-for-line', ['^ready$', '--', 'sh', '-c', server]);
    expect(stdout).to.equal('starting\nready\n');
    expect(exitCode).to.equal(0);
    const { stdout: left } = await new Command('ps', ['-eo', 'args'], { stdout: 'text' }).run();
    expect(left).to.not.contain(`sleep ${marker}`);
  });

  it('says that the server ended, that it took too long, that it is not there', async () => {
    const ended = await example('wait-for-line', ['ready', '--', 'true']);
    expect([ended.exitCode, ended.stderr]).to.deep.equal([1, 'true ended without a line that matches /ready/\n']);
    const late = await example('wait-for-line', ['ready', '--', 'sleep', '60'], { TIMEOUT_MS: '100' });
    expect(late.exitCode).to.equal(124);
    expect(late.stderr).to.match(/^Command timed out after 100 ms: .*sleep 60\n$/);
    const missing = await example('wait-for-line', ['ready', '--', 'no-such-program']);
    expect(missing.exitCode).to.equal(125);
    expect(missing.stderr).to.match(/no-such-program/);
  });

  it('runs several commands, names who says what, and ends all with the first that fails', async () => {
    const good = await example('run-all', ['echo out; echo err >&2', 'echo hello']);
    expect([good.exitCode, good.stderr]).to.deep.equal([0, '']);
    const said = good.stdout.split('\n').slice(0, -1);
    expect(said).to.have.members(['1 | out', '1 | err', '2 | hello']);
    expect(said.indexOf('1 | out')).to.be.below(said.indexOf('1 | err'));

    const marker = `7${String(process.pid)}`;
    const bad = await example('run-all', [`setsid sleep ${marker} & echo up; wait`, 'read line; exit 3']);
    expect(bad.exitCode).to.equal(3);
    expect(bad.stderr).to.equal("2 | Command failed with exit code 3: sh -c 'read line; exit 3'\n");
    const { stdout: left } = await new Command('ps', ['-eo', 'args'], { stdout: 'text' }).run();
    expect(left).to.not.contain(`sleep ${marker}`);
  });

  it('runs a name server as a daemon, asks it, and stops it through its pid file', async function () {
    const lacking = [
      existsSync('/usr/sbin/dnsmasq') ? '' : 'no dnsmasq (Debian: dnsmasq-base)',
      process.geteuid?.() === 0 ? '' : 'not root',
      whyNot() ?? '',
    ].filter((reason) => reason !== '');
    if (lacking.length > 0) {
      if (this.test !== undefined) this.test.title += `: ${lacking.join(', ')}`;
      this.skip();
    }
    const { stdout, stderr, exitCode } = await example('dnsmasq');
    expect(stderr).to.equal('');
    expect(exitCode).to.equal(0);
    const [started, ...rest] = stdout.trimEnd().split('\n');
    expect(started).to.match(/^started {3}pid \d+, port \d+$/);
    expect(rest).to.deep.equal([
      'answer    router.test 192.0.2.1',
      'running   yes: Uid 65534, CapEff 0000000000000000, CapBnd 0000000000000000, NoNewPrivs 1, files 64',
      'stopped   by SIGTERM; the pid file is removed',
    ]);
    const pid = /\d+/.exec(started ?? '')?.[0] ?? '';
    const { stdout: left } = await new Command('ps', ['-eo', 'pid=,stat='], { stdout: 'text' }).run();
    // Whoever reaps orphans here may take his time.
    expect(left).to.not.match(new RegExp(`^ *${pid} +[^Z]`, 'm'));
  });
});
