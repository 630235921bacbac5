/** `permitted READ WRITE`: has programs started with files for streams, and says of each file how that went. */
import { bindCommand } from '@vircommand/core/backend';
import type { CommandStartError } from '@vircommand/core';
import { createPosixBackend } from '../../src/backend';

const [, , read = '', write = ''] = process.argv;
const Command = bindCommand(createPosixBackend());

async function said(run: () => unknown): Promise<string> {
  try {
    await run();
    return 'started';
  } catch (error) {
    const { stage, code, path } = error as CommandStartError;
    return `${stage} ${code} ${path}`;
  }
}

async function main(): Promise<void> {
  const results: string[] = [];
  for (const streams of [
    { stdin: { file: read } },
    { stdout: { file: write } },
    { stderr: { file: write, append: true } },
  ]) {
    const command = new Command('/bin/true', [], streams);
    results.push(await said(() => command.run()), await said(() => command.runSync()));
  }
  console.log(JSON.stringify(results));
}

void main();
