import { spawnSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { CommandExitError, secret, type ErrorEvent, type ExitEvent, type StartEvent } from '@vircommand/core';
import { rejection, thrown } from './caught';
import { fake } from './fake-backend';

type Event = [channel: string, message: StartEvent | ExitEvent | ErrorEvent];

/** What is published meanwhile. */
async function published(body: () => unknown): Promise<Event[]> {
  const events: Event[] = [];
  const listeners = ['start', 'exit', 'error'].map((name) => {
    const listener = (message: unknown): void => void events.push([name, message as StartEvent]);
    subscribe(`vircommand:${name}`, listener);
    return () => unsubscribe(`vircommand:${name}`, listener);
  });
  try {
    await body();
  } catch {
    // Its event is what counts.
  } finally {
    for (const stop of listeners) stop();
  }
  return events;
}

describe('diagnostics channels', () => {
  const good = fake((p) => p.write('stdout', 'output').exit());
  const bad = fake((p) => p.exit(1));

  it('start and exit of a run that went well, without its output', async () => {
    const events = await published(() => new good.Command('x').setOutputBuffer().run());
    expect(events.map(([name]) => name)).to.deep.equal(['start', 'exit']);
    expect(events[0]?.[1]).to.deep.equal({ command: 'x', backend: 'fake', pid: 100 });
    const { result } = events[1]?.[1] as ExitEvent;
    expect(result.exitCode).to.equal(0);
    expect(result).to.not.have.any.keys('stdout', 'stderr');
  });

  it('an error after the exit, the same that the caller gets', async () => {
    let error: unknown;
    const events = await published(async () => {
      error = await rejection(new bad.Command('x').run(), CommandExitError);
    });
    expect(events.map(([name]) => name)).to.deep.equal(['start', 'exit', 'error']);
    expect(events[2]?.[1]).to.deep.equal({ command: 'x', backend: 'fake', error });
  });

  it('no exit of what was never started', async () => {
    const events = await published(() => new good.Command('x').run({ signal: AbortSignal.abort() }));
    expect(events.map(([name]) => name)).to.deep.equal(['error']);
  });

  it('an error after the exit of a synchronous run, the same that is thrown', async () => {
    const { Command } = fake(undefined, { sync: () => ({ exitCode: 2 }) });
    let error: unknown;
    const events = await published(() => {
      error = thrown(() => new Command('x').runSync(), CommandExitError);
    });
    expect(events.map(([name]) => name)).to.deep.equal(['start', 'exit', 'error']);
    expect(events[2]?.[1]).to.include({ error });
  });

  it('an error alone of what was refused or did not start', async () => {
    const failing = fake(undefined, { start: () => Promise.reject(new Error('no')) });
    const lacking = fake(undefined, { features: [] });
    for (const [run, backend] of [
      [() => new good.Command('x').setUid(-1).run(), undefined],
      [() => new good.Command('x').setUid(-1).runSync(), undefined],
      [() => new lacking.Command('x').setUid(1).run(), 'fake'],
      [() => new failing.Command('x').run(), 'fake'],
    ] as const) {
      const events = await published(run);
      expect(events.map(([name]) => name)).to.deep.equal(['error']);
      expect(events[0]?.[1].backend).to.equal(backend);
    }
  });

  it('whose publication fails keep nobody waiting', () => {
    const program = `
      const { bindCommand } = require('@vircommand/core/backend');
      const exit = require('node:diagnostics_channel').channel('vircommand:exit');
      exit.subscribe(() => {});
      exit.publish = () => { throw new Error('cannot tell'); };
      process.on('unhandledRejection', ({ message }) => console.log(message));
      const exited = Promise.resolve({ exitCode: 3, signal: undefined, coreDumped: false, usage: undefined });
      const start = async () => ({ pid: 7, exited, signal: () => ({ sent: false, reached: 'process' }), dispose() {} });
      const Command = bindCommand({ contract: 1, name: 'tiny', features: [], start });
      new Command('prog', [], { stderr: 'null' }).run().catch(({ message }) => console.log(message));`;
    const { stdout } = spawnSync(process.execPath, [...process.execArgv, '-r', 'ts-node/register', '-e', program], {
      cwd: __dirname,
      encoding: 'utf8',
      env: { ...process.env, TS_NODE_TRANSPILE_ONLY: '1' },
    });
    expect(stdout.split('\n').sort()).to.deep.equal(['', 'Command failed with exit code 3: prog', 'cannot tell']);
  });

  it('show no secret', async () => {
    const events = await published(() =>
      new bad.Command('x', [secret('hunter2')]).addEnvPair('T', secret('hunter3')).run(),
    );
    expect(inspect(events, { depth: Infinity, showHidden: true })).not.to.contain('hunter');
  });
});

describe('NODE_DEBUG=vircommand', () => {
  it('says what starts, how it ends and what fails', () => {
    const program = `
      const { bindCommand } = require('@vircommand/core/backend');
      const { secret } = require('@vircommand/core');
      const exited = { exitCode: 3, signal: undefined, coreDumped: false, usage: undefined };
      const Command = bindCommand({ contract: 1, name: 'tiny', features: [], start: async () => ({
        pid: 7, exited: Promise.resolve(exited), signal: () => ({ sent: false, reached: 'process' }), dispose() {} }) });
      new Command('prog', ['a b', secret('hunter2'), 'x\\nVIRCOMMAND 1: forged\\x1b[31m'], { stderr: 'null' }).run().catch(() => {});`;
    const { stderr } = spawnSync(process.execPath, [...process.execArgv, '-r', 'ts-node/register', '-e', program], {
      cwd: __dirname,
      env: { ...process.env, NODE_DEBUG: 'vircommand', TS_NODE_TRANSPILE_ONLY: '1' },
    });
    const log = stderr.toString();
    expect(log).to.match(/start pid 7 by tiny: prog 'a b' '\*\*\*' 'x\\nVIRCOMMAND 1: forged\\x1b\[31m'\n/);
    expect(log).to.match(/exit code 3 after \d+ ms, pid 7/);
    expect(log).to.match(/CommandExitError: Command failed with exit code 3/);
    expect(log).not.to.contain('hunter2');
    expect(log).not.to.match(/^VIRCOMMAND 1:/m);
  });
});
