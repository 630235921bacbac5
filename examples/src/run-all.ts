/**
 * Runs several shell lines at once, as development servers and watchers are run: each line of output has the name of who
 * wrote it, and the first one that fails ends all others, with everything that they have started.
 *
 *     node dist/run-all.js 'make watch' 'node server.js'
 */
import { constants } from 'node:os';
import { Command, CommandAbortedError, CommandError, CommandExitError } from 'vircommand';

const signals: Readonly<Record<string, number | undefined>> = constants.signals;

/** The exit code as a shell has it. */
const exitCodeOf = ({ exitCode, signal }: CommandExitError): number => exitCode ?? 128 + (signals[signal ?? ''] ?? 0);

async function main(lines: readonly string[]): Promise<number> {
  if (lines.length === 0) {
    console.error('usage: run-all COMMAND...');
    return 2;
  }
  const others = new AbortController();
  const follow = async (line: string, number: number): Promise<number> => {
    // Both streams through one pipe: what a program says stays in its order.
    const command = new Command('sh', ['-c', line]).setErrorFd('stdout');
    try {
      for await (const text of command.runLines({ signal: others.signal, killDelay: 2000 })) {
        console.log(`${number} | ${text}`);
      }
      return 0;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      if (error instanceof CommandAbortedError) return 0;
      console.error(`${number} | ${error.message.split('\n')[0] ?? error.code}`);
      others.abort();
      return error instanceof CommandExitError ? exitCodeOf(error) : 125;
    }
  };
  const codes = await Promise.all(lines.map((line, index) => follow(line, index + 1)));
  return codes.find((code) => code !== 0) ?? 0;
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
