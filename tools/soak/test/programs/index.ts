/** Programs of the tests, each a process of its own. */
import { join } from 'node:path';

/** The arguments with which Node runs one of them. */
export const program = (name: string, ...args: string[]): string[] => [
  ...process.execArgv,
  '--require',
  'ts-node/register/transpile-only',
  join(__dirname, `${name}.ts`),
  ...args,
];
