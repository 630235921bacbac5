/** The process of the command `vircommand-conformance`. */
import { main } from './main';

void main(process.argv.slice(2), { cwd: process.cwd(), stdout: process.stdout, stderr: process.stderr }).then(
  (status) => {
    // A broken backend may have left something that keeps the process; what was written must be out first.
    process.stdout.write('', () => process.exit(status));
  },
);
