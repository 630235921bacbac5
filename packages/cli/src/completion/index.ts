/** `vircommand completion`: a script that teaches a shell all commands and flags. It is made of the same tables as the help. */
import { CliError } from '../exit-status';
import { readFlags } from '../flag';
import type { Subcommand } from '../subcommand';
import { subcommands } from '../subcommands';
import { bash } from './bash';
import { fish } from './fish';
import { zsh } from './zsh';

const shells: Readonly<Record<string, (subcommands: readonly Subcommand[]) => string>> = { bash, zsh, fish };
const names = Object.keys(shells);

export const subcommand: Subcommand = {
  name: 'completion',
  summary: 'print a completion script for a shell',
  own: [{ usage: names.join('|'), complete: names }],
  program: false,
  details: ['Put the line for your shell into its start-up file.'],
  flags: [],
  examples: [
    'source <(vircommand completion bash)',
    'source <(vircommand completion zsh)',
    'vircommand completion fish | source',
  ],
  run: (argv, { stdout }) => {
    const [name, ...more] = readFlags(argv, [], 1, ({ own, program }) => [...own, ...program]);
    const script = name === undefined ? undefined : shells[name];
    if (script === undefined || more.length > 0) throw new CliError(`which shell? One of ${names.join(', ')}`);
    stdout.write(script(subcommands));
    return Promise.resolve(0);
  },
};
