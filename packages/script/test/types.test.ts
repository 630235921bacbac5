import { expect } from 'chai';
import { CommandUsageError } from '@vircommand/core';
import { createMock } from '@vircommand/mock';
import { createScript, MigrationError, type ScriptOptions, type ScriptResult } from '@vircommand/script';

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
/** Compiles only for a value of exactly this type. */
const exactly =
  <Expected>() =>
  <Actual>(_value: Actual, proof: Same<Actual, Expected>): void => {
    expect(proof).to.equal(true);
  };

const maybeIgnored = (): 'ignore' | undefined => undefined;

describe('the type of a result', () => {
  it('follows the options', async () => {
    const mock = createMock();
    mock.on('p').reply({ stdout: 'x' }).always();
    const { $, run, runSync } = createScript(mock.Command);
    const plain = await $`p`;
    exactly<string>()(plain.stdout, true);
    exactly<undefined>()(plain.all, true);
    const lines = await $({ lines: true })`p`;
    exactly<string[]>()(lines.stdout, true);
    const again = $({ lines: true })({ lines: false }).sync`p`;
    exactly<string>()(again.stdout, true);
    const bytes = await run('p', [], { encoding: 'buffer', stderr: 'ignore' });
    exactly<Buffer>()(bytes.stdout, true);
    exactly<undefined>()(bytes.stderr, true);
    const all = await run('p', { all: true });
    exactly<string>()(all.all, true);
    exactly<undefined>()(all.stdout, true);
    const ignored = runSync('p', { stdio: ['ignore', 'ignore', 'pipe'] });
    exactly<undefined>()(ignored.stdout, true);
    exactly<string>()(ignored.stderr, true);
    const some = runSync('p', { stdio: [null, null, 'ignore'] });
    exactly<string>()(some.stdout, true);
    exactly<undefined>()(some.stderr, true);
    const left = runSync('p', { stdio: [undefined, 'pipe', maybeIgnored()] });
    exactly<string>()(left.stdout, true);
    exactly<string | undefined>()(left.stderr, true);
    const allLeft = runSync('p', { stdio: undefined });
    exactly<string>()(allLeft.stdout, true);
    const none = runSync('p', [], { stdio: 'ignore' });
    exactly<undefined>()(none.stdout, true);
    const maybe = runSync('p', { lines: Math.random() > 2 });
    exactly<string | string[]>()(maybe.stdout, true);
    const unknown: ScriptResult = runSync('p', {} as ScriptOptions);
    exactly<string | string[] | Buffer | undefined>()(unknown.stdout, true);
  });

  it('lets no unknown option through', async () => {
    const { run } = createScript(createMock().Command);
    // @ts-expect-error There is no such option.
    expect(() => run('p', [], { shell: true })).to.throw(MigrationError);
    // @ts-expect-error An argument is no object.
    const error: unknown = await run('p', [{}]).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(CommandUsageError);
  });
});
