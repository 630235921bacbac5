/** Daemons whose caller has pipes to them, or holds them. */
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { CommandAbortedError, CommandStartError, CommandTimeoutError } from '@vircommand/core';
import { Command } from '../src';
import { readPathIfLocked } from '../src/pidfile';
import { pidFiles } from './lockers';
import { openDescriptors, pidsWith, stateOf, until } from './started';

const source = JSON.stringify(require.resolve('../src'));

async function rest(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a daemon with pipes', function () {
  this.timeout(60_000);
  const file = pidFiles();
  /** Unique to this test run: by it what is left is found. */
  const marker = `1${process.pid}`;
  const gone = (pid = 0): boolean => [undefined, 'Z'].includes(stateOf(pid));
  let descriptors: number;

  beforeEach(() => {
    descriptors = openDescriptors();
  });
  afterEach(async () => {
    for (const pid of pidsWith(marker)) process.kill(pid, 'SIGKILL');
    await until(() => pidsWith(marker).length === 0);
    await until(() => openDescriptors() <= descriptors);
  });

  const sh = (script: string): Command => new Command('sh', ['-c', script, marker]).daemonize().setPidFile(file());

  it('gets a send buffer larger than a pipe, and is read to its end, as in libvirt’s test', async () => {
    const data = Buffer.alloc(128 * 1024, 'x');
    const running = await sh('cat <&5; sleep 0.2; echo end').setSendBuffer(5, data).setOutputFd('pipe').runAsync();
    expect(readFileSync(file(), 'latin1')).to.equal(String(running.pid));
    const output = rest(running.stdout);
    await running.wait();
    expect(readPathIfLocked(file())).to.equal(running.pid);
    expect(await output).to.equal(`${data.toString()}end\n`);
    await until(() => gone(running.pid));
  });

  it('says on its stderr why it ends, long after its run was over', async () => {
    const command = sh('read line; echo "no such device" >&2; exit 1').setInputFd('pipe').setErrorFd('pipe');
    const running = await command.runAsync();
    expect(await running.wait()).to.include({ exitCode: 0 });
    running.stdin.end('line\n');
    expect(await rest(running.stderr)).to.equal('no such device\n');
  });

  it('has one pipe for both outputs, and a stdin to write to', async () => {
    const command = sh('read a; echo out $a; echo err >&2').setInputFd('pipe').setOutputFd('pipe').setErrorFd('stdout');
    const running = await command.runAsync();
    running.stdin.end('word\n');
    const lines: string[] = [];
    for await (const line of running.lines()) lines.push(line);
    expect(lines).to.deep.equal(['out word', 'err']);
  });

  it('is let go of by disposal: it and its pid file stay, also where it has closed that', async () => {
    for (const close of ['', 'for n in 3 4 5 6 7 8 9; do eval "exec $n>&-"; done; ']) {
      const running = await sh(`echo up; ${close}exec sleep ${marker}`).setOutputFd('pipe').runAsync();
      const { pid = 0 } = running;
      await once(running.stdout, 'data');
      running[Symbol.dispose]();
      await running[Symbol.asyncDispose]();
      expect([running.kill(), gone(pid), readFileSync(file(), 'latin1')]).to.deep.equal([false, false, String(pid)]);
      process.kill(pid, 'SIGKILL');
      await until(() => gone(pid));
    }
  });

  it('that is sent more than it reads is let go of at a deadline, and finds the end', async () => {
    const note = file('note');
    const command = sh(`until [ -e ${note} ]; do sleep 0.01; done; wc -c`)
      .setInputBuffer(Buffer.alloc(1e6))
      .setOutputFd('pipe')
      .doAsyncIo();
    // The time is also that of the start: once more with more of it where that was not enough.
    const start = (timeout: number): ReturnType<typeof command.runAsync> =>
      command.runAsync({ timeout }).catch((error: unknown) => {
        if (error instanceof CommandTimeoutError && timeout < 30_000) return start(timeout * 8);
        throw error;
      });
    const running = await start(500);
    const output = rest(running.stdout);
    const error = await failure(running.wait());
    writeFileSync(note, '');
    expect(error).to.be.instanceOf(CommandTimeoutError);
    expect((error as CommandTimeoutError).result).to.include({ pid: running.pid, ended: 'none' });
    expect(Number(await output)).to.be.within(1, 1e6 - 1);
    await until(() => gone(running.pid));
  });

  it('leaves nothing where it does not start', async () => {
    const command = new Command('/no/such/program', [], {
      daemon: true,
      pidFile: file(),
      stdout: 'pipe',
      stdin: 'pipe',
    });
    expect(await failure(command.setSendBuffer(5, 'x').runAsync())).to.include({ stage: 'exec', code: 'ENOENT' });
    expect(existsSync(file())).to.equal(false);
  });

  it('leaves nothing where its start was aborted at any moment', async () => {
    for (const timeout of [1, 10, 20, 30, 40, 60, 100]) {
      const command = sh(`exec sleep ${marker}`).requireHandshake().setInputFd('pipe').setErrorFd('pipe');
      const error = await failure(command.runAsync({ timeout }).then((running) => running.wait()));
      expect(error).to.be.instanceOf(CommandTimeoutError);
      expect([pidsWith(marker), existsSync(file())]).to.deep.equal([[], false]);
    }
  });

  it('that is held ends by a signal, by disposal and by an abort, and no pid file is left', async () => {
    const held = (): ReturnType<Command['runAsync']> => sh('true').requireHandshake().setErrorFd('pipe').runAsync();
    const signalled = await held();
    expect(signalled.kill()).to.equal(true);
    expect(await failure(signalled.wait()))
      .to.be.instanceOf(CommandStartError)
      .and.include({ stage: 'handshake' });
    expect([gone(signalled.pid), existsSync(file())]).to.deep.equal([true, false]);
    const disposed = await held();
    disposed[Symbol.dispose]();
    expect([gone(disposed.pid), existsSync(file())]).to.deep.equal([true, false]);
    expect(await failure(disposed.wait())).to.be.instanceOf(CommandAbortedError);
    expect(await failure(disposed.handshakeNotify())).to.include({ stage: 'handshake', code: 'EPIPE' });
    const aborted = await held();
    await aborted.abort();
    expect([gone(aborted.pid), existsSync(file())]).to.deep.equal([true, false]);
  });

  describe('whose caller ends', () => {
    /** Runs it in a process that is killed when it has said something; what it said. */
    async function caller(body: string): Promise<string> {
      const script = `
        require('ts-node').register({ transpileOnly: true });
        const { Command } = require(${source});
        const command = (script) => new Command('sh', ['-c', script, '${marker}']).daemonize().setPidFile('${file()}');
        (async () => { ${body} })();`;
      const node = spawn(process.execPath, [...process.execArgv, '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [said] = (await once(node.stdout, 'data')) as [Buffer];
      node.kill('SIGKILL');
      await once(node, 'exit');
      return said.toString().trim();
    }

    it('is not executed where it is held, and removes its pid file', async () => {
      const note = file('note');
      const pid = await caller(`
        const held = await command('touch ${note}').requireHandshake().runAsync();
        console.log(held.pid);`);
      await until(() => gone(Number(pid)));
      expect([existsSync(file()), existsSync(note)]).to.deep.equal([false, false]);
    });

    it('has all that was sent when the run was over', async () => {
      const note = file('note');
      await caller(`
        const sending = command('sleep 1; cat <&5 > ${note}; mv ${note} ${note}.whole');
        console.log((await sending.setSendBuffer(5, 'x'.repeat(60_000)).run()).pid);`);
      await until(() => existsSync(`${note}.whole`));
      expect(readFileSync(`${note}.whole`)).to.have.lengthOf(60_000);
    });
  });
});
