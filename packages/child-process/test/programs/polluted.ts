/** Starts a program after every option of `spawn()` was put where it does not belong. */
import { backend } from '@vircommand/child-process';
import { pipe, planOf, requestOf, textOf } from '../plans';

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
  const plan = planOf(['sh', '-c', 'echo "$1"; pwd', 'sh', '$HOME'], { cwd: '/', stdout: pipe, stderr: pipe });
  Object.assign(Object.prototype, pollution);
  const child = await backend.start(plan);
  const text = await textOf(child.stdout);
  await child.exited;
  const outcome = backend.startAndWaitSync?.(plan, requestOf());
  for (const name of Object.keys(pollution)) Reflect.deleteProperty(Object.prototype, name);
  const lines = [text, Buffer.from(outcome?.stdout ?? []).toString()].flatMap((part) => part.trim().split('\n'));
  console.log(JSON.stringify(lines));
}

void main();
