import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { backend, Command } from '@vircommand/child-process';
import type { LaunchPlan, SyncOutcome, SyncRequest } from '@vircommand/core/backend';
import { end, holdings, isAlive, pipe, planOf, requestOf, unchanged } from './plans';

const sh = (script: string, overrides: Partial<LaunchPlan> = {}): LaunchPlan => planOf(['sh', '-c', script], overrides);
const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();
const unlimited = { stdout: Infinity, stderr: Infinity, total: Infinity, onExceed: 'kill' } as const;

function run(plan: LaunchPlan, request: Partial<SyncRequest> = {}): SyncOutcome {
  const outcome = backend.startAndWaitSync?.(plan, requestOf(request));
  if (outcome === undefined) throw new Error('the backend declares sync');
  return outcome;
}

describe('a synchronous run', () => {
  it('needs no directory for temporary files to keep the end of stderr', () => {
    const before = process.env.TMPDIR;
    process.env.TMPDIR = '/no/such/directory';
    try {
      const error = () => new Command('sh', ['-c', 'echo why >&2; exit 3']).runSync();
      expect(error).to.throw(/exit code 3[^]*why/);
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
  });

  (process.platform === 'linux' ? it : it.skip)('says that merged output may lack what found no room', () => {
    const merged = (script: string) =>
      new Command('sh', ['-c', script], { stdout: 'text', stderr: 'stdout' }).runSync();
    const limit = (most: string) => execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${most}:`]);
    const before = execFileSync('prlimit', ['--pid', String(process.pid), '--fsize', '--output=SOFT', '--noheadings']);
    const script = 'trap "" XFSZ; head -c 60000 /dev/zero; head -c 60000 /dev/zero 2>/dev/null; exit 0';
    limit('65536');
    try {
      expect(merged(script)).to.include({ exitCode: 0, outputComplete: false });
      expect(merged('echo all')).to.include({ stdout: 'all\n', outputComplete: true });
    } finally {
      limit(String(before).trim());
    }
    expect(merged(script)).to.include({ outputComplete: true });
  });

  let held: string[] = [];
  beforeEach(() => {
    held = holdings();
  });
  afterEach(() => unchanged(held));

  it('feeds, captures apart, and says how it ended', () => {
    const outcome = run(sh('cat; echo err >&2; exit 3', { stdin: pipe, stdout: pipe, stderr: pipe }), {
      input: Buffer.from('fed\xff', 'latin1'),
    });
    expect(Buffer.from(outcome.stdout ?? []).toString('latin1')).to.equal('fed\xff');
    expect(text(outcome.stderr)).to.equal('err\n');
    expect(outcome).to.deep.include({
      exitCode: 3,
      signal: undefined,
      ending: 'exit',
      outputComplete: true,
      ended: 'none',
    });
    expect(outcome.pid).to.be.greaterThan(1);
  });

  it('gives no output where the plan has no pipe', () => {
    const outcome = run(sh('echo out; echo err >&2'));
    expect([outcome.stdout, outcome.stderr, outcome.exitCode]).to.deep.equal([undefined, undefined, 0]);
  });

  it('a program that does not read its stdin is no error, and its output is whole', () => {
    const outcome = run(sh('exec 0<&-; sleep 0.05; echo done', { stdin: pipe, stdout: pipe }), {
      input: Buffer.alloc(4 << 20),
    });
    expect(text(outcome.stdout)).to.equal('done\n');
    expect(outcome).to.deep.include({ exitCode: 0, ending: 'exit', outputComplete: true });
  });

  it('a signal has its name; one that Node has no name for is neither code nor success', () => {
    expect(run(sh('kill -TERM $$'))).to.deep.include({ exitCode: undefined, signal: 'SIGTERM' });
    expect(run(sh('kill -34 $$'))).to.deep.include({ exitCode: undefined, signal: undefined });
  });

  describe('limits, exact to the byte', () => {
    const endless = sh('cat /dev/zero', { stdout: pipe, stderr: pipe });

    it('an endless program is ended at the limit', () => {
      for (const limit of [1, 1000, 65_536, 1_000_001]) {
        const outcome = run(endless, { limit: { ...unlimited, stdout: limit, stderr: limit } });
        expect(outcome.stdout).to.have.length(limit);
        expect(outcome).to.deep.include({
          ending: 'output-limit',
          exceeded: 'stdout',
          outputComplete: false,
          ended: 'process',
          signal: 'SIGKILL',
        });
      }
    });

    it('exactly the limit is not too much', () => {
      const outcome = run(sh('head -c 1000 /dev/zero', { stdout: pipe }), { limit: { ...unlimited, stdout: 1000 } });
      expect(outcome.stdout).to.have.length(1000);
      expect(outcome).to.deep.include({ ending: 'exit', exceeded: undefined, outputComplete: true });
    });

    it('0 is a limit', () => {
      const outcome = run(endless, { limit: { ...unlimited, stdout: 0, stderr: 0 } });
      expect(outcome).to.deep.include({ ending: 'output-limit', exceeded: 'stdout' });
      expect(outcome.stdout).to.have.length(0);
    });

    it('each stream has its own, and both have one together', () => {
      const plan = sh('head -c 100 /dev/zero; head -c 200 /dev/zero >&2', { stdout: pipe, stderr: pipe });
      const err = run(plan, { limit: { ...unlimited, stderr: 150 } });
      expect([err.exceeded, err.stdout?.length, err.stderr?.length]).to.deep.equal(['stderr', 100, 150]);
      const sum = run(plan, { limit: { ...unlimited, total: 250 } });
      expect([sum.exceeded, sum.stdout?.length, sum.stderr?.length]).to.deep.equal(['total', 100, 150]);
    });

    it('merged output has the limit of stdout', () => {
      const plan = sh('echo 12345; echo 67890 >&2', { stdout: pipe, stderr: { type: 'same-as-stdout' } });
      const outcome = run(plan, { limit: { ...unlimited, stdout: 8 } });
      expect(text(outcome.stdout)).to.equal('12345\n67');
      expect(outcome).to.deep.include({ ending: 'output-limit', exceeded: 'stdout' });
    });

    it('truncation lets the program end by itself', () => {
      const plan = sh('head -c 200000 /dev/zero; exit 4', { stdout: pipe });
      const outcome = run(plan, { limit: { ...unlimited, stdout: 10, onExceed: 'truncate' } });
      expect(outcome).to.deep.include({ exitCode: 4, ending: 'exit', exceeded: undefined, outputComplete: false });
      expect(outcome.stdout).to.have.length(10);
    });
  });

  describe('only the end of stderr', () => {
    const noisy = sh('head -c 300000 /dev/zero >&2; echo the end >&2; echo out', { stdout: pipe, stderr: pipe });

    it('is kept, and counts in no limit', () => {
      const outcome = run(noisy, { stderrTail: 100, limit: { stdout: 4, stderr: 4, total: 4, onExceed: 'kill' } });
      expect(outcome.stderr).to.have.length(100);
      expect(text(outcome.stderr?.subarray(-8))).to.equal('the end\n');
      expect(text(outcome.stdout)).to.equal('out\n');
      expect(outcome).to.deep.include({ ending: 'exit', outputComplete: true });
    });

    it('is not awaited when somebody else still holds it', () => {
      const outcome = run(sh('sleep 60 >/dev/null & echo $! >&2', { stdout: pipe, stderr: pipe }), {
        stderrTail: 100,
        drainDelay: 600_000,
      });
      expect(isAlive(Number(text(outcome.stderr)))).to.equal(true);
      end(text(outcome.stderr));
    });
  });

  it('has the environment, directory, argv[0] and session that were asked for', () => {
    const plan = planOf(['another', '-c', 'echo $0 $PWD $ONLY; ps -o sid= -p $$; echo $$'], {
      program: '/bin/sh',
      cwd: '/',
      env: [
        ['ONLY', 'this'],
        ['PATH', '/usr/bin:/bin'],
      ],
      group: 'session',
      stdout: pipe,
    });
    const [first, session, pid] = (text(run(plan).stdout) ?? '').split('\n');
    expect(first).to.equal('another / this');
    expect(session?.trim()).to.equal(pid);
  });

  it('through Command: captured, merged, failing, and with what it needs refused', () => {
    const command = new Command('sh', ['-c', 'echo a; echo b >&2; exit 2'], { stdout: 'text', stderr: 'stdout' });
    expect(command.runSync({ check: false }).stdout).to.equal('a\nb\n');
    expect(() => new Command('sh', ['-c', 'echo why >&2; exit 2']).runSync()).to.throw(/exit code 2[^]*why/);
    expect(() => new Command('true').runSync({ timeout: 100 }))
      .to.throw()
      .with.property('code', 'ERR_COMMAND_UNSUPPORTED');
  });
});
