// As somebody who uses ES modules and TypeScript: what is imported by name is there, and has its type.
import assert from 'node:assert/strict';
import { Command, CommandExitError, secret, type CommandResult } from 'vircommand';
import { Command as ByNode } from 'vircommand/child-process';
import { createMock } from 'vircommand/mock';
import { $, MigrationError } from 'vircommand/script';

const result: CommandResult<'text', 'none'> = await new ByNode('echo', ['hello'], {
  stdout: 'text',
  stderr: 'null',
}).run();
assert.equal(result.stdout, 'hello\n');
// @ts-expect-error What was not captured is no text.
assert.equal(result.stderr?.length, undefined);

const failed: unknown = await new ByNode('sh', ['-c', 'exit 3']).run().catch((error: unknown) => error);
assert.ok(failed instanceof CommandExitError);
assert.equal(failed.exitCode, 3);
assert.equal(new Command('login', [secret('hunter2')]).toString(), "login '***'");

const mock = createMock();
mock.on('git').reply({ stdout: 'main\n' });
{
  using installed = mock.install();
  void installed;
  const { stdout }: { stdout: string } = await $`git branch`;
  assert.equal(stdout, 'main');
}
assert.throws(() => $`ls | wc`, MigrationError);
console.log('used');
