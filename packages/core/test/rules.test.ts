import { expect } from 'chai';
import { CommandUsageError, type Command } from '@vircommand/core';
import { rejection, thrown } from './caught';
import { fake } from './fake-backend';

type Run = (command: Command) => Promise<unknown>;
const run: Run = (c) => c.run();
const runAsync: Run = (c) => c.runAsync();
const runSync: Run = (c) => Promise.resolve().then(() => c.runSync());
const exec: Run = (c) => Promise.resolve().then(() => c.exec());
const killed: Run = (c) => c.run({ killOnParentExit: true });
/** As JavaScript may call it. */
const execWith = (command: Command, options: unknown): Promise<unknown> =>
  Promise.resolve().then(() => (command.exec as (options: unknown) => unknown).call(command, options));

describe('what cannot go together', () => {
  const broken: [what: string, describe: (command: Command) => unknown, run: Run, call: string][] = [
    ['a buffer with runAsync()', (c) => c.setInputBuffer(''), runAsync, 'runAsync()'],
    ['a capture with runAsync()', (c) => c.setOutputBuffer(), runAsync, 'runAsync()'],
    ['a captured stderr with runAsync()', (c) => c.setErrorBuffer(), runAsync, 'runAsync()'],
    ['a pipe to write with run()', (c) => c.setInputFd('pipe'), run, 'run()'],
    ['a pipe to read with run()', (c) => c.setOutputFd('pipe'), run, 'run()'],
    ['a captured output of a daemon', (c) => c.daemonize().setOutputBuffer(), run, 'daemonize()'],
    ['a captured stderr of a daemon with runAsync()', (c) => c.daemonize().setErrorBuffer(), runAsync, 'daemonize()'],
    ['a send buffer of a daemon with runSync()', (c) => c.daemonize().setSendBuffer(5, ''), runSync, 'daemonize()'],
    ['the input of a daemon with runSync()', (c) => c.daemonize().setInputBuffer(''), runSync, 'daemonize()'],
    ['the input of a daemon with runAsync()', (c) => c.daemonize().setInputBuffer(''), runAsync, 'runAsync()'],
    ['a pipe of a daemon with run()', (c) => c.daemonize().setErrorFd('pipe'), run, 'run()'],
    ['a handshake of a daemon with run()', (c) => c.daemonize().requireHandshake(), run, 'requireHandshake()'],
    ['lines of a daemon', (c) => c.daemonize(), (c) => c.runLines().next(), 'daemonize()'],
    ['a daemon with its parent’s end', (c) => c.daemonize(), killed, 'daemonize()'],
    ['a working directory with a daemon', (c) => c.daemonize().setWorkingDirectory('/x'), run, 'setWorkingDirectory()'],
    ['a buffer with exec()', (c) => c.setInputBuffer(''), exec, 'exec()'],
    ['a capture with exec()', (c) => c.setErrorBuffer(), exec, 'exec()'],
    ['a send buffer with exec()', (c) => c.setSendBuffer(5, ''), exec, 'exec()'],
    ['a pipe to the caller with exec()', (c) => c.setOutputFd('pipe'), exec, 'exec()'],
    ['a daemon with exec()', (c) => c.daemonize(), exec, 'daemonize()'],
    ['a hook with exec()', (c) => c.setPreExecHook({ module: '/h.js' }), exec, 'setPreExecHook()'],
    ['a handshake with exec()', (c) => c.requireHandshake(), exec, 'requireHandshake()'],
    ['an option with exec()', () => undefined, (c) => execWith(c, { timeout: 5 }), 'exec()'],
    ['a pid file without a daemon', (c) => c.setPidFile('/p'), run, 'setPidFile()'],
    ['a handshake with run()', (c) => c.requireHandshake(), run, 'requireHandshake()'],
    ['the parent’s group with a session', (c) => c.setProcessGroup(false).setSession(), run, 'setProcessGroup()'],
    ['a descriptor of the program twice', (c) => c.passFd(5).passFd(6, { as: 5 }), run, 'passFd()'],
    ['a send buffer on a passed descriptor', (c) => c.setSendBuffer(5, '').passFd(5), run, 'passFd()'],
    ['two send buffers on one descriptor', (c) => c.setSendBuffer(5, '').setSendBuffer(5, ''), run, 'setSendBuffer()'],
    ['a closed handle as stdin', (c) => c.setInputFd({ fd: -1 }), run, 'setInputFd()'],
  ];
  for (const [what, describe, start, call] of broken) {
    it(`${what}: a usage error, and nothing is started`, async () => {
      const made = fake();
      const command = new made.Command('x');
      describe(command);
      expect((await rejection(start(command), CommandUsageError)).call).to.equal(call);
      expect(made.programs).to.have.length(0);
    });
  }

  it('runSync() is named where it was called', () => {
    const error = thrown(() => new (fake().Command)('x').setOutputFd('pipe').runSync(), CommandUsageError);
    expect(error.call).to.equal('runSync()');
  });

  /** What is said to be wrong, of a way that another message names. */
  const ways: [what: string, describe: (command: Command) => unknown, run: Run][] = [
    ['a pipe of a daemon', (c) => c.setErrorFd('pipe'), runAsync],
    ['a handshake of a daemon', (c) => c.requireHandshake(), runAsync],
    ['a send buffer of a daemon', (c) => c.setSendBuffer(5, ''), run],
    ['the input of a daemon', (c) => c.setInputBuffer('').doAsyncIo(), runAsync],
    ['a file of a daemon', (c) => c.setOutputFile('/x'), runSync],
  ];
  for (const [what, describe, start] of ways) {
    it(`${what} can be had as the messages say`, async () => {
      const made = fake();
      const command = new made.Command('x').daemonize();
      describe(command);
      await start(command);
      expect(made.plan.daemon).to.equal(true);
    });
  }

  it('doAsyncIo() lets runAsync() have buffers', async () => {
    const made = fake((p) => p.write('stdout', 'out').exit());
    const running = await new made.Command('x').setInputBuffer('in').setOutputBuffer().doAsyncIo().runAsync();
    expect((await running.wait()).stdout).to.equal('out');
    expect(made.program.stdin?.text).to.equal('in');
  });
});
