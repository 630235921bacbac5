/** Runs a program after every option of `spawn()` was put where it does not belong. */
import { Command } from '@vircommand/child-process';

const pollution = {
  shell: true,
  cwd: '/tmp',
  env: { PATH: '' },
  uid: 12345,
  gid: 12345,
  detached: true,
  timeout: 1,
  encoding: 'hex',
};

async function main(): Promise<void> {
  const command = new Command('sh', ['-c', 'echo "$1"; pwd', 'sh', '$HOME'], { cwd: '/', stdout: 'text' });
  Object.assign(Object.prototype, pollution);
  const { stdout } = await command.run();
  const sync = command.runSync();
  for (const name of Object.keys(pollution)) Reflect.deleteProperty(Object.prototype, name);
  console.log(JSON.stringify([stdout, sync.stdout].flatMap((text) => text.trim().split('\n'))));
}

void main();
