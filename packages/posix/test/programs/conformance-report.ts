/** Runs the cases of the suite whose ids match the argument, as whoever this is, and prints what became of each. */
import { runConformance } from '@vircommand/conformance';
import { backend } from '../../src';

void runConformance({ name: 'posix', create: () => backend }, { only: new RegExp(process.argv[2] ?? '') }).then(
  ({ cases }) => {
    console.log(JSON.stringify(cases.map(({ id, status, detail }) => ({ id, status, detail }))));
  },
);
