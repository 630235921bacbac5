/** The process of the command `vircommand-conformance`. */
import { main } from './main';

const { stdout, stderr } = process;
let status: number | undefined;
let moment = 'before the first case';

// What a backend does to this process must not look as if all were well.
process.on('exit', () => {
  process.exitCode = status ?? 2;
  if (status !== undefined) return;
  // On a terminal the name of the case is on this line.
  const begin = stderr.isTTY ? '\n' : '';
  stderr.write(`${begin}vircommand-conformance: the process ended ${moment}: does the backend call process.exit()?\n`);
});

const onCase = (id: string): void => {
  moment = `in the case ${id}`;
};
void main(process.argv.slice(2), { cwd: process.cwd(), stdout, stderr, onCase }).then((result) => {
  status = result;
  // A broken backend may have left something that keeps the process; what was written must be out first.
  stdout.write('', () => process.exit(result));
});
