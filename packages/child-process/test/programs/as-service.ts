/**
 * Keeps capabilities through exec and through changes of its user, and starts programs: as root, and then as nobody. Says of
 * each whether it has capabilities, or why it did not start.
 */
import { Command, CommandStartError } from '@vircommand/child-process';

const nobody = 65_534;

async function main(): Promise<void> {
  const rows: unknown[] = [];
  const told = async (run: () => Promise<string> | string): Promise<string> => {
    try {
      return /^CapAmb:\t0+$/m.test(await run()) ? 'none' : 'some';
    } catch (error) {
      if (!(error instanceof CommandStartError)) throw error;
      return `${error.stage} ${error.code} ${/ambient.*posix/.exec(error.reason) !== null}`;
    }
  };
  const start = async (who: string, uid?: number): Promise<void> => {
    const command = new Command('/bin/cat', ['/proc/self/status'], { stdout: 'text', uid, gid: nobody });
    rows.push([
      `${who}, as ${uid ?? 'itself'}`,
      await told(async () => (await command.run()).stdout),
      await told(() => command.runSync().stdout),
    ]);
  };
  await start('root', nobody);
  await start('root', 0);
  process.setuid?.(nobody);
  await start('nobody', nobody);
  await start('nobody', 1);
  await start('nobody');
  console.log(JSON.stringify(rows));
}

void main();
