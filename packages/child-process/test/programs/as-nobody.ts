/** Gives up root, then tries what only root may. */
import { backend, type CommandStartError } from '@vircommand/child-process';
import { planOf, requestOf, failure, thrown } from '../plans';

const nobody = 65_534;

async function main(): Promise<void> {
  const locked = process.argv[2] ?? '';
  // Before: the loader of this program reads what nobody may not.
  await backend.start(planOf(['true'])).then((child) => child.exited);
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
  console.log(JSON.stringify(rows));
}

void main();
