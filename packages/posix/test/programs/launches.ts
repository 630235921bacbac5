/** Starts programs by the launcher and by a spawner thread, and prints what they say, or why not, as JSON. */
import { Command, CommandError } from '@vircommand/posix';

const command = (): Command<'text'> => new Command('/bin/sh', ['-c', 'umask'], { umask: 0o27, stdout: 'text' });
const failed = (error: unknown): { stdout: string } => ({
  stdout: error instanceof CommandError ? error.message : String(error),
});

async function main(): Promise<void> {
  const { stdout: byThread } = await command().run().catch(failed);
  let byLauncher;
  try {
    byLauncher = command().runSync().stdout;
  } catch (error) {
    byLauncher = failed(error).stdout;
  }
  process.stdout.write(JSON.stringify({ byLauncher, byThread }));
}
void main();
