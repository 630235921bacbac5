/** The process of the command `vircommand`. */
import { STATUS } from './exit-status';
import { main } from './main';
import { stderr } from './output';
import type { Surroundings } from './subcommand';

/** Runs the command line of this process, and ends it. See {@link main}. */
export function runProcess(surroundings: Partial<Surroundings> = {}): void {
  const argv = process.argv.slice(2);
  // Nothing keeps Node alive, and main() has not ended: Node would end in silence, as if all were well.
  process.once('beforeExit', () => {
    const where = ['vircommand', ...argv.slice(0, 1)].join(' ');
    const text = `${where}: nothing is left that could bring this to an end: how the program ends is not known\n`;
    (surroundings.stderr ?? stderr).write(text);
    process.exit(STATUS.failure);
  });
  void main(argv, surroundings).then((status) => {
    // All output is out: it is written synchronously. What may still be open belongs to nobody any more.
    process.exit(status);
  });
}
