/** All subcommands: which one is meant, its help, and what becomes of its failures. */
import { CliError, STATUS } from './exit-status';
import { HelpWanted } from './flag';
import { helpOf, overview } from './help-text';
import { subcommands } from './subcommands';
import type { Subcommand, Surroundings } from './subcommand';
import { tell } from './tell';
import { version } from './version';

function unknown(name: string): CliError {
  const hint = 'vircommand --help names them all';
  if (name.startsWith('-')) return new CliError(`there is no option '${name}'; options follow a command; ${hint}`);
  return new CliError(`there is no command '${name}'; ${hint}. To run a program: vircommand run -- ${name}`);
}

function known(name: string): Subcommand {
  const found = subcommands.find((candidate) => candidate.name === name);
  if (found === undefined) throw unknown(name);
  return found;
}

/** Who did not say anything did not ask for help, and gets it all the same. */
function help(about: string | undefined, asked: boolean, { stdout, stderr }: Surroundings): number {
  const output = asked ? stdout : stderr;
  output.write(about === undefined ? overview(subcommands, output) : helpOf(known(about), output));
  return asked ? 0 : STATUS.failure;
}

async function run(subcommand: Subcommand, argv: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    return await subcommand.run(argv, surroundings);
  } catch (error) {
    if (error instanceof HelpWanted) return help(subcommand.name, true, surroundings);
    return tell(error, subcommand, surroundings);
  }
}

/** @returns the exit status. */
export async function dispatch(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const [name, ...rest] = argv;
  try {
    if (name === '--version' || name === '-V') {
      surroundings.stdout.write(`vircommand ${version()}\n`);
      return 0;
    }
    if (name === undefined) return help(undefined, false, surroundings);
    if (name === '--help' || name === '-h' || name === 'help') return help(rest[0], true, surroundings);
    return await run(known(name), rest, surroundings);
  } catch (error) {
    if (error instanceof CliError) return tell(error, undefined, surroundings);
    throw error;
  }
}
