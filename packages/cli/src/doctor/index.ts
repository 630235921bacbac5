/** `vircommand doctor`: what this machine can do, and for what is missing the reason and the remedy. */
import { STATUS, CliError } from '../exit-status';
import { readFlags, type FlagGroup } from '../flag';
import { painter } from '../output';
import type { Subcommand } from '../subcommand';
import { version } from '../version';
import { examine } from './examine';
import { reportText } from './text';

interface Request {
  json: boolean;
}

const flags: readonly FlagGroup<Request>[] = [
  {
    title: 'Options',
    flags: [
      {
        name: 'json',
        help: 'the report as JSON',
        apply: (request) => {
          request.json = true;
        },
      },
    ],
  },
];

export const subcommand: Subcommand = {
  name: 'doctor',
  summary: 'say what this machine can do, and why not more',
  own: [],
  program: false,
  details: [
    'Looks at kernel, privileges and limits, loads each driver, and tries each feature that this machine or this user may ' +
      'be refused, with a program that does nothing. Exit status 0 if programs can be started, 125 if not.',
  ],
  flags,
  examples: ['vircommand doctor', 'sudo -u www-data vircommand doctor --json'],
  run: async (argv, { stdout, backend }) => {
    const { json } = readFlags(argv, flags, 0, ({ program: [stray] }): Request => {
      if (stray !== undefined) throw new CliError(`takes options only, and not '${stray}'`);
      return { json: false };
    });
    const report = await examine(version(), backend);
    stdout.write(json ? `${JSON.stringify(report, undefined, 2)}\n` : reportText(report, painter(stdout)));
    return report.ok ? 0 : STATUS.failure;
  },
};
