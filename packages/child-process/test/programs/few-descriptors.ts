/** Starts with no descriptors left, then with some again. */
import { closeSync, openSync, readdirSync } from 'node:fs';
import { backend, type CommandStartError } from '@vircommand/child-process';
import { failure, pipe, planOf, requestOf, thrown, until } from '../plans';

const taken: number[] = [];

function takeAll(): void {
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    // Now there are none.
  }
}

const say = (error: unknown): string => {
  const { stage, code, message } = error as CommandStartError;
  return message.includes('\0') ? `NUL in ${JSON.stringify(message)}` : `${stage} ${code}`;
};

async function main(): Promise<void> {
  let unhandled = 0;
  process.on('unhandledRejection', () => unhandled++).on('uncaughtException', () => unhandled++);
  const plan = planOf(['/bin/true'], { stdin: pipe, stdout: pipe, stderr: pipe });
  const merged = planOf(['/bin/true'], { stdout: pipe, stderr: { type: 'same-as-stdout' } });
  // Whatever is opened once and for all.
  await backend.start(merged).then((child) => (child.dispose(), child.exited));
  await backend.start(plan).then((child) => (child.dispose(), child.exited));
  const report: Record<string, unknown> = {};
  // The highest number that there is here, and one that there is not.
  for (const as of [59, 150]) {
    const high = planOf(['/bin/true'], { passFds: [{ fd: 0, as }] });
    report[`high${as}`] = say(await failure(backend.start(high)));
    report[`high${as}Sync`] = say(thrown(() => backend.startAndWaitSync?.(high, requestOf())));
  }
  const fds = (): number => readdirSync('/proc/self/fd').length;
  const handles = (): number => process.getActiveResourcesInfo().filter((type) => type === 'PipeWrap').length;
  const before = fds();
  const handlesBefore = handles();
  takeAll();
  Object.assign(report, {
    async: say(await failure(backend.start(plan))),
    merged: say(await failure(backend.start(merged))),
    sync: say(thrown(() => backend.startAndWaitSync?.(plan, requestOf()))),
  });
  // One more after the other, until there are enough.
  for (let free = 1; free <= 20; free++) {
    closeSync(taken.pop() ?? -1);
    await backend.start(merged).then(
      (child) => (child.dispose(), child.exited),
      (error: unknown) => (report.fewAsync = say(error)),
    );
    try {
      backend.startAndWaitSync?.(plan, requestOf());
    } catch (error) {
      report.fewSync = say(error);
    }
  }
  for (const fd of taken) closeSync(fd);
  const child = await backend.start(plan);
  report.after = (await child.exited).exitCode;
  child.dispose();
  await until(() => fds() === before && handles() <= handlesBefore, 'all is closed').catch(() => undefined);
  report.leakedHandles = Math.max(0, handles() - handlesBefore);
  console.log(JSON.stringify({ ...report, leaked: fds() - before, unhandled }));
}

void main();
