/**
 * The command line as a whole. `run` is what programs and scripts start all day, so it is all that is loaded for it; the
 * other subcommands, and help, are in a file of their own.
 */
import { chooseBackend } from './backends';
import { HelpWanted } from './flag';
import { loadDispatch } from './later';
import { stderr, stdout } from './output';
import { subcommand as run } from './run';
import type { Surroundings } from './subcommand';
import { tell } from './tell';

/**
 * Runs a command line.
 *
 * @param surroundings what is not to be that of this process, for instance another choice of the backend.
 * @returns the exit status.
 */
export async function main(argv: readonly string[], surroundings: Partial<Surroundings> = {}): Promise<number> {
  const here: Surroundings = { stdout, stderr, backend: chooseBackend, ...surroundings };
  const [name, ...rest] = argv;
  if (name === run.name) {
    try {
      return await run.run(rest, here);
    } catch (error) {
      if (!(error instanceof HelpWanted)) return tell(error, run, here);
    }
  }
  return loadDispatch().dispatch(argv, here);
}
