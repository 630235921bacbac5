/**
 * Starts programs by the launcher until it is killed. Arguments: a directory, and what to start: `child`, `daemon`, or the
 * module of a hook that notes in a file of the directory that it waits.
 * Each program says in a file of its own what it is; the file appears whole or not at all.
 */
import * as path from 'node:path';
import { Command } from '@vircommand/posix';

const [directory = '', what = ''] = process.argv.slice(2);
const script =
  'exec 2>/dev/null; grep -E "^(Uid|Gid|Groups|Umask|NoNewPrivs|CapBnd)" "/proc/$$/status" > "$1.part" && mv "$1.part" "$1"';

async function startOne(number: number): Promise<void> {
  const command = new Command('/bin/sh', ['-c', `${script}; exec sleep 60`, 'sh', path.join(directory, String(number))])
    .setUmask(0o17)
    .setNoNewPrivs()
    .setMaxFiles(100)
    .setNice(3);
  if (what === 'daemon') {
    command.daemonize().setPidFile(path.join(directory, `${number}.pid`));
    await command.run();
  } else if (what === 'child') {
    await command.run({ killOnParentExit: 'guaranteed' });
  } else {
    const data = { note: path.join(directory, 'waits') };
    await command.setPreExecHook({ module: what, export: 'waits', data }).run();
  }
}

async function main(): Promise<void> {
  for (let number = 0; ; number++) {
    process.stdout.write(`${number}\n`);
    await startOne(number);
  }
}
void main();
