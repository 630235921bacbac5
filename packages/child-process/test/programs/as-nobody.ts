/** Gives up root, then tries what only root may. */
import { backend, Command, type CommandStartError } from '@vircommand/child-process';
import { planOf, requestOf, failure, thrown } from '../plans';

const nobody = 65_534;

async function main(): Promise<void> {
  const [, , locked = '', inside = ''] = process.argv;
  const merged = (file: string, ...args: string[]): Command<'text'> =>
    new Command(file, args, { stdout: 'text', stderr: 'stdout' });
  // Before: the loader of this program reads what nobody may not.
  await backend.start(planOf(['true'])).then((child) => child.exited);
  await merged('true').run();
  process.chdir(inside);
  process.setgroups?.([]);
  process.setgid?.(nobody);
  process.setuid?.(nobody);
  const plans = [planOf(['/bin/true'], { cwd: locked }), planOf(['/bin/true'], { privileged: { uid: 0, gid: 0 } })];
  const rows: unknown[] = [];
  for (const plan of plans) {
    const errors = [
      await failure(backend.start(plan)),
      thrown(() => backend.startAndWaitSync?.(plan, requestOf())),
    ] as CommandStartError[];
    for (const { stage, code, path } of errors) rows.push([stage, code, path ?? null]);
  }
  // Here no path leads to where this process is.
  const says = [merged('sh', '-c', 'echo out; echo err >&2'), merged('./own'), new Command('./unreadable')];
  for (const command of says) {
    const { exitCode, stdout } = await command.run();
    rows.push([exitCode, stdout, command.runSync().stdout]);
  }
  console.log(JSON.stringify(rows));
}

void main();
