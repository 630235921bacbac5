/** The script for zsh. */
import type { Flag } from '../flag';
import type { Subcommand } from '../subcommand';
import { candidatesOf, flagsOf, quoted, spellings, type Candidates, type Known } from './candidates';

const known: Readonly<Record<Known, string>> = {
  file: '_files',
  directory: '_files -/',
  user: '_users',
  group: '_groups',
  variable: '_parameters -g "*export*"',
};

const action = (candidates: Candidates | undefined): string => {
  if (candidates === undefined) return ' ';
  return 'known' in candidates ? known[candidates.known] : `(${candidates.words.join(' ')})`;
};

/** In a specification of `_arguments` these have a meaning. */
const plain = (text: string): string => text.replace(/[[\]:\\]/g, String.raw`\$&`);

function spec(flag: Flag<never>): string {
  const { value, repeat, help } = flag;
  const names = spellings(flag);
  const argument = value === undefined ? '' : `:${plain(value)}:${action(candidatesOf(flag.complete))}`;
  const rest = quoted(`[${plain(help)}]${argument}`);
  const once = names.length === 1 ? (names[0] ?? '') : `{${names.join(',')}}`;
  if (repeat === true) return `'*'${once}${rest}`;
  return names.length === 1 ? `${once}${rest}` : `${quoted(`(${names.join(' ')})`)}${once}${rest}`;
}

function ofSubcommand(subcommand: Subcommand): string {
  const { name, own, program } = subcommand;
  const specs = [
    ...flagsOf(subcommand).map(spec),
    ...own.map(({ usage, complete }, index) =>
      quoted(`${index + 1}:${plain(usage)}:${action(candidatesOf(complete))}`),
    ),
    ...(program ? [quoted(`(-)${own.length + 1}:program:_command_names -e`), quoted('*::arguments:_normal')] : []),
  ];
  return `    ${name})\n      _arguments -S \\\n        ${specs.join(' \\\n        ')} ;;`;
}

export const zsh = (subcommands: readonly Subcommand[]): string => `#compdef vircommand
# source <(vircommand completion zsh), or as a file _vircommand in a directory of $fpath

_vircommand() {
  local -a subcommands line
  local state
  # 'commands' is zsh's own.
  subcommands=(
${subcommands.map(({ name, summary }) => `    ${quoted(`${name}:${plain(summary)}`)}`).join('\n')}
  )
  _arguments -C \\
    '(- *)'{-h,--help}'[print a help]' \\
    '(- *)'{-V,--version}'[print the version]' \\
    '1:command:->command' \\
    '*::argument:->argument'
  case $state in
    command) _describe command subcommands ;;
    argument) _vircommand_arguments ;;
  esac
}

_vircommand_arguments() {
  case $line[1] in
${subcommands.map(ofSubcommand).join('\n')}
  esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _vircommand "$@"
else
  compdef _vircommand vircommand
fi
`;
