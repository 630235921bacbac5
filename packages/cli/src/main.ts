/** The command line as a whole: which subcommand, its help, and what becomes of its failures. */
import { chooseBackend } from './backends';
import { CliError, STATUS } from './exit-status';
import { failureOf } from './failure';
import { HelpWanted } from './flag';
import { helpOf, overview } from './help-text';
import { stderr, stdout } from './output';
import { subcommands } from './subcommands';
import type { Subcommand, Surroundings } from './subcommand';
import { version } from './version';

function unknown(name: string): CliError {
  const hint = 'vircommand --help names them all';
  if (name.startsWith('-')) return new CliError(`there is no option ${name}; options follow a command; ${hint}`);
  return new CliError(`there is no command '${name}'; ${hint}. To run a program: vircommand run -- ${name}`);
}

async function dispatch(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const [name = '--help', ...rest] = argv;
  if (name === '--version' || name === '-V') {
    surroundings.stdout.write(`vircommand ${version()}\n`);
    return 0;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    const about = rest[0] === undefined ? undefined : known(rest[0]);
    // Who did not say anything did not ask for help, and gets it all the same.
    const output = argv.length === 0 ? surroundings.stderr : surroundings.stdout;
    output.write(about === undefined ? overview(subcommands, output) : helpOf(about, output));
    return argv.length === 0 ? STATUS.failure : 0;
  }
  const subcommand = known(name);
  try {
    return await subcommand.run(rest, surroundings);
  } catch (error) {
    if (error instanceof HelpWanted) {
      surroundings.stdout.write(helpOf(subcommand, surroundings.stdout));
      return 0;
    }
    return tell(error, subcommand, surroundings);
  }
}

function known(name: string): Subcommand {
  const found = subcommands.find((candidate) => candidate.name === name);
  if (found === undefined) throw unknown(name);
  return found;
}

function tell(error: unknown, subcommand: Subcommand | undefined, surroundings: Surroundings): number {
  const { message, status } = failureOf(error, subcommand?.flags ?? []);
  const where = subcommand === undefined ? 'vircommand' : `vircommand ${subcommand.name}`;
  surroundings.stderr.write(`${where}: ${message}\n`);
  return status;
}

/**
 * Runs a command line.
 *
 * @param surroundings what is not to be that of this process, for instance another choice of the backend.
 * @returns the exit status.
 */
export async function main(argv: readonly string[], surroundings: Partial<Surroundings> = {}): Promise<number> {
  const here: Surroundings = { stdout, stderr, backend: chooseBackend, ...surroundings };
  try {
    return await dispatch(argv, here);
  } catch (error) {
    if (error instanceof CliError) return tell(error, undefined, here);
    throw error;
  }
}
