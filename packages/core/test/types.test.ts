/** What the type checker says of results and mistakes; most of it is proven by compiling this file. */
import type { Readable, Writable } from 'node:stream';
import { expect } from 'chai';
import {
  abortAll,
  Command,
  CommandError,
  CommandExitError,
  CommandStartError,
  CommandTimeoutError,
  overrideBackend,
  secret,
  withBackend,
  type Backend,
  type CommandOptions,
  type CommandResult,
  type HookReference,
  type PreExecHook,
  type RunningCommand,
  type RunOptions,
} from '@vircommand/core';
import { bindCommand, startError, type ChildHandle, type LaunchPlan } from '@vircommand/core/backend';
import { fake } from './fake-backend';

/** `unknown` if two types are the same, and neither is `any`. */
type Exact<A, B> = 0 extends 1 & B ? never : [A] extends [B] ? ([B] extends [A] ? unknown : never) : never;
/** A type to compare values with. */
class Type<T> {
  is<U>(value: U & Exact<T, U>): U {
    return value;
  }
}
const use = (...values: unknown[]): unknown => values;

/** A third-party backend, the whole binding. */
class SshBackend implements Backend {
  readonly contract = 1;
  readonly name = 'ssh';
  readonly features = Object.freeze(['cwd', 'session'] as const);
  start(plan: LaunchPlan): Promise<ChildHandle> {
    return Promise.reject(startError('backend', `no route for ${plan.text}`));
  }
}
const SshCommand = bindCommand(() => new SshBackend());
const sameType: typeof Command = SshCommand;

const prepare: PreExecHook<{ cpu: number[] }> = (data) => {
  expect(data.cpu[0]).to.be.a('number');
};

/** Compiled, never called. */
export async function results(signal: AbortSignal | undefined, pass: string | undefined): Promise<void> {
  const log = await new Command('git').addArgs(['log', '-1']).addEnvPassCommon().setOutputBuffer().run();
  new Type<string>().is(log.stdout);
  new Type<CommandResult<'text'>>().is(log);
  const tar = await new Command('tar', ['c', '.'], { stdout: 'bytes', stderr: 'text', cwd: '/srv' }).run({ signal });
  new Type<Buffer>().is(tar.stdout);
  new Type<string>().is(tar.stderr);
  const none = await new Command('true', [], {}).run();
  new Type<undefined>().is(none.stdout);
  new Type<undefined>().is(none.stderr);
  const bytes = new Command('cat').setInputBuffer('x').setOutputBuffer().runSync({ encoding: 'buffer' });
  new Type<Buffer>().is(bytes.stdout);
  const perStream = await new Command('cat').setOutputBuffer('buffer').setErrorBuffer().run();
  new Type<Buffer>().is(perStream.stdout);
  new Type<string>().is(perStream.stderr);

  // Statement style: never wrong, only less precise.
  const command = new Command('ls');
  command.setOutputBuffer();
  const plain = await command.run();
  new Type<string | Buffer | undefined>().is(plain.stdout);
  const widened: CommandResult = log;
  const any: Command = new Command('ls').setOutputBuffer();
  const options: RunOptions = { check: false };
  const given: CommandOptions = { cwd: pass, env: { A: pass } };
  use(widened, any, options, given, sameType);

  const bc = await new Command('bc').setInputFd('pipe').setOutputFd('pipe').setErrorFd('stdout').runAsync();
  new Type<RunningCommand<'pipe', 'none', 'pipe'>>().is(bc);
  new Type<Writable>().is(bc.stdin);
  new Type<Readable>().is(bc.stdout);
  new Type<undefined>().is(bc.stderr);
  const form = await new Command('bc', [], { stdin: 'pipe', stdout: 'pipe' }).runAsync();
  new Type<Writable>().is(form.stdin);
  const daemon = new Command('d', [], { stderr: 'pipe' }).daemonize().requireHandshake().setInputFd('pipe');
  new Type<RunningCommand<'none', 'pipe', 'pipe'>>().is(await daemon.runAsync());
  for await (const line of bc.lines()) new Type<string>().is(line);
  for await (const row of new Command('lsblk').runRegex([/^(\S+)$/])) new Type<string[]>().is(row);
  for await (const row of command.clone().runNul(2)) new Type<string[]>().is(row);
  const rows = new Command('git', ['grep', 'x'], { stderr: 'text' }).runRegex([/^(\S+)$/], { check: false });
  const compatible: AsyncIterableIterator<string[]> = rows;
  new Type<CommandResult<'none', 'text'>>().is(await rows.result);
  const last = await rows.next();
  if (last.done === true) new Type<CommandResult<'none', 'text'> | undefined>().is(last.value);
  else new Type<string[]>().is(last.value);
  new Type<string>().is((await command.setErrorBuffer().runLines().result).stderr);
  use(compatible);

  // Chains stay what they are through setters that say nothing of streams.
  const chain = new Command('x').setOutputBuffer().addArg('a').setUid(1).rawStatus().clone();
  new Type<Command<'text'>>().is(chain);
  const hook: HookReference = { module: new URL('file:///h.js'), data: { cpu: [1, 2] } };
  use(chain.setPreExecHook(hook), prepare, abortAll, overrideBackend, withBackend, secret('x'));
}

/** Compiled, never called. */
export function mistakes(command: Command, error: unknown): void {
  // @ts-expect-error AbortSignal cannot work while the thread is blocked
  command.runSync({ signal: AbortSignal.timeout(1) });
  // @ts-expect-error a typo in an option of the command
  new Command('x', [], { cwd: '/', stdot: 'text' });
  // @ts-expect-error a typo in an option of the run
  void command.run({ timout: 5 });
  // @ts-expect-error a typo in an option of a descriptor
  command.passFd(5, { closeInparent: true });
  // @ts-expect-error numbers are no arguments
  command.addArg(5);
  // @ts-expect-error no such stream
  command.setOutputFd('stdout');
  // @ts-expect-error no such encoding
  command.setOutputBuffer('utf8');
  // @ts-expect-error bytes are no lines
  command.runLines({ encoding: 'buffer' });
  // @ts-expect-error a prefix is for runRegex()
  command.runLines({ prefix: 'x' });
  // @ts-expect-error no such capability
  command.allowCap('NET_RAW');
  // @ts-expect-error no such limit
  command.setLimit('rss', 5);
  // @ts-expect-error functions cannot cross a process
  command.setPreExecHook(() => undefined);
  // @ts-expect-error no such line break
  command.toStringFull({ linebreaks: true });
  if (error instanceof CommandStartError && error.code === 'ENOENT') use(error.stage, error.path);
  else if (error instanceof CommandExitError) use(error.exitCode, error.stderrTail, error.result.outputComplete);
  else if (error instanceof CommandTimeoutError) use(error.timeout, error.result.ended);
  else if (error instanceof CommandError) use(error.code, error.command);
}

describe('types', () => {
  it('say what a result really is', async () => {
    const { Command } = fake((p) => p.write('stdout', 'o').write('stderr', 'e').exit());
    const text: string = (await new Command('x').setOutputBuffer().run()).stdout;
    const bytes: Buffer = (await new Command('x').setOutputBuffer('buffer').run()).stdout;
    const forced: Buffer = (await new Command('x').setErrorBuffer().run({ encoding: 'buffer' })).stderr;
    const form: string = (await new Command('x', [], { stderr: 'text' }).run()).stderr;
    const none: undefined = (await new Command('x', [], {}).run()).stdout;
    const merged: undefined = (await new Command('x').setOutputBuffer().setErrorFd('stdout').run()).stderr;
    expect([text, bytes, forced, form, none, merged]).to.deep.equal([
      'o',
      Buffer.from('o'),
      Buffer.from('e'),
      'e',
      undefined,
      undefined,
    ]);
  });

  it('a third party’s whole binding works', async () => {
    const error: unknown = await new SshCommand('x').run().catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(CommandStartError);
    expect(error).to.include({ stage: 'backend', backend: 'ssh', command: 'x' });
  });
});
