/** With type information, what a function gives is known too. */
import plugin from 'eslint-plugin-vircommand';
import { RuleTester } from 'eslint';
import * as path from 'node:path';
import tseslint from 'typescript-eslint';

const command = `
interface Running { readonly pid: number; wait(): Promise<void> }
interface Command { addArgPair(name: string, value: string): this; run(): Promise<void>; runAsync(): Promise<Running> }
declare function git(): Command;
declare function other(): { run(): Promise<void>; runAsync(): Promise<Running> };
`;
const filename = path.join(__dirname, 'typed.ts');

const tester = new RuleTester({
  languageOptions: {
    parser: tseslint.parser,
    parserOptions: {
      projectService: { allowDefaultProject: ['test/typed.ts'] },
      tsconfigRootDir: path.dirname(__dirname),
    },
  },
});

tester.run('no-floating-run, type information', plugin.rules['no-floating-run'], {
  valid: [
    { filename, code: `${command} export const run = () => git().run();` },
    { filename, code: `${command} export function f() { other().run(); }` },
  ],
  invalid: [
    {
      filename,
      code: `${command} export function f() { git().run(); }`,
      errors: [{ messageId: 'promise' }],
    },
  ],
});

tester.run('no-undisposed-running, type information', plugin.rules['no-undisposed-running'], {
  valid: [
    { filename, code: `${command} export async function f() { await (await git().runAsync()).wait(); }` },
    { filename, code: `${command} export async function f() { await other().runAsync(); }` },
  ],
  invalid: [
    {
      filename,
      code: `${command} export async function f() { return (await git().addArgPair('a', 'b').runAsync()).pid; }`,
      errors: [{ messageId: 'open' }],
    },
  ],
});
