/**
 * Starts a server and waits until it says that it is ready, as test suites and deployment scripts do: lines with
 * backpressure, a deadline for the whole, and an end that reaches every descendant.
 *
 *     node dist/wait-for-line.js 'ready' -- sh -c 'sleep 1; echo server ready; sleep 60'
 */
import { Command, CommandError } from 'vircommand';

/** Exit codes as timeout(1) and env(1) have them. */
const codes = { found: 0, ended: 1, usage: 2, timedOut: 124, notStarted: 125 } as const;

async function waitForLine(
  pattern: RegExp,
  program: string,
  args: readonly string[],
  timeout: number,
): Promise<number> {
  // Both streams through one pipe: who knows where a server says it.
  const server = new Command(program, args).addEnvPassCommon().setOutputFd('pipe').setErrorFd('stdout');
  await using running = await server.runAsync({ timeout, killDelay: 1000 });
  try {
    for await (const line of running.lines()) {
      console.log(line);
      if (pattern.test(line)) return codes.found;
    }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(error.message);
    return error.code === 'ERR_COMMAND_TIMEOUT' ? codes.timedOut : codes.ended;
  }
  console.error(`${program} ended without a line that matches ${String(pattern)}`);
  return codes.ended;
}

async function main([pattern, separator, program, ...args]: readonly string[]): Promise<number> {
  if (pattern === undefined || separator !== '--' || program === undefined) {
    console.error('usage: wait-for-line PATTERN -- PROGRAM [ARGUMENTS]');
    return codes.usage;
  }
  try {
    return await waitForLine(new RegExp(pattern), program, args, Number(process.env.TIMEOUT_MS ?? 30_000));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(error.message);
    return codes.notStarted;
  }
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
