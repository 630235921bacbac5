/** The process of the command `vircommand`. */
import { main } from './main';
import type { Surroundings } from './subcommand';

/** Runs the command line of this process, and ends it. See {@link main}. */
export function runProcess(surroundings?: Partial<Surroundings>): void {
  void main(process.argv.slice(2), surroundings).then((status) => {
    // All output is out: it is written synchronously. What may still be open belongs to nobody any more.
    process.exit(status);
  });
}
