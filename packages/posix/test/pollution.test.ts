/** What a polluted `Object.prototype` holds is no option of a start, of a backend or of what is made for one. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandUsageError } from '@vircommand/core';
import { Command, createPosixBackend } from '@vircommand/posix';
import { forceCleanupPath } from '@vircommand/posix/pidfile';
import { expect } from 'chai';

/** What may be left out, here or of what Node is asked for. */
const polluted: Readonly<Record<string, unknown>> = {
  ...{ stdin: 'x', stdout: 'x', stderr: 'x', sendBuffers: ['x'], capture: 'x', clock: 'x', handshake: 'x' },
  ...{ encoding: 'hex', objectMode: true, highWaterMark: 1, handle: {}, signal: 'x', read: 'x', onread: {} },
  ...{ argv: ['x'], eval: true, shares: 'x', needs: 'x', lowest: 900, inherit: true, driver: 'x', group: true },
  ...{ code: 'EVIL', cause: 'evil', LD_LIBRARY_PATH: '/evil', VIRCOMMAND_WAY: 'x', VIRCOMMAND_FFI: 'x' },
};

async function withPollution<T>(body: () => T | Promise<T>): Promise<T> {
  for (const [name, value] of Object.entries(polluted)) Reflect.set(Object.prototype, name, value);
  try {
    return await body();
  } finally {
    for (const name of Object.keys(polluted)) Reflect.deleteProperty(Object.prototype, name);
  }
}

describe('a polluted Object.prototype', () => {
  const text = 'x'.repeat(200_000);
  let directory = '';
  before(async () => {
    // What is loaded later is Node's business: it reads options of its own by then.
    const { backend } = Command;
    await new Command('cat', [], { stdin: { input: 'x' }, stdout: 'text' }).run();
    await new Command('true', [], { umask: 0o27 }).run();
    await new Command('true', [], { preExecHook: { module: join(__dirname, 'programs/hook.mjs') } }).run();
    await backend?.dispose?.();
  });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'vircommand-pollution-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('changes no start by the calling thread', async () => {
    const seen = await withPollution(async () => {
      const { stdout } = await new Command('cat', [], { stdin: { input: text }, stdout: 'text' }).run();
      const blocking = new Command('cat', [], { stdin: { input: text }, stdout: 'text' }).runSync().stdout;
      const running = await new Command('cat', [], { stdin: 'pipe', stdout: 'pipe' }).runAsync();
      running.stdin.end('piped');
      const chunks: unknown[] = [];
      running.stdout.on('data', (chunk) => chunks.push(chunk));
      await running.wait();
      const pid = await new Command('true').run().then((result) => result.exitCode);
      return { stdout, blocking, chunks, pid };
    });
    expect(seen.stdout === text && seen.blocking === text).to.equal(true);
    expect(seen.chunks).to.deep.equal([Buffer.from('piped')]);
    expect(seen.pid).to.equal(0);
  });

  it('changes no start by a thread', async () => {
    const results = await withPollution(() => {
      const backend = createPosixBackend({});
      const command = (): Command => new Command('sh', ['-c', 'umask'], { umask: 0o27, stdout: 'text', backend });
      return Promise.all([command().run(), command().run()]).finally(() => backend.dispose());
    });
    for (const { stdout } of results) expect(stdout).to.equal('0027\n');
  });

  it('changes no start by the launcher, and no error of it', async () => {
    const pidFile = join(directory, 'a.pid');
    const preExecHook = { module: require.resolve('./programs/hooks.cjs'), export: 'returnsThenable' };
    const seen = await withPollution(async () => {
      const daemon = await new Command('sleep', ['1000'], { daemon: true, pidFile }).run();
      const { stdout } = await new Command('cat', [], {
        preExecHook: { module: join(__dirname, 'programs/hook.mjs') },
        stdin: { input: text },
        stdout: 'text',
      }).run();
      const failed = await new Command('true', [], { preExecHook }).run().catch((error: unknown) => error);
      return { pid: daemon.pid, stdout, failed };
    });
    expect(readFileSync(pidFile, 'latin1')).to.equal(String(seen.pid));
    const { signal } = await withPollution(() => forceCleanupPath(pidFile, {}));
    expect(signal).to.equal('SIGTERM');
    expect(seen.stdout === text).to.equal(true);
    expect(seen.failed).to.include({ stage: 'hook', code: 'ERR_COMMAND_START' });
  });

  it('gives no option to createPosixBackend(), which refuses what it does not know', async () => {
    expect(await withPollution(() => createPosixBackend({}).name)).to.equal('posix');
    const wrong: [options: unknown, reason: RegExp][] = [
      [{ drivr: 'koffi' }, /no option 'drivr'; did you mean 'driver'/],
      [{ driver: 1 }, /option 'driver' must be/],
      [null, /must be an object, not null/],
    ];
    for (const [options, reason] of wrong) {
      expect(() => createPosixBackend(options as object)).to.throw(CommandUsageError, reason);
    }
  });
});
