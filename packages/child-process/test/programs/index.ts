/** Programs that use the package in a process of their own. */
import { join } from 'node:path';

/** What to start for `programs/<name>.ts`, with the same subject (sources or build) as this process. */
export function program(name: string, ...args: string[]): { file: string; args: string[] } {
  const flags = process.execArgv.filter((flag) => flag.startsWith('--conditions') || flag.startsWith('-C'));
  return {
    file: process.execPath,
    args: [...flags, '-r', 'ts-node/register/transpile-only', join(__dirname, `${name}.ts`), ...args],
  };
}
