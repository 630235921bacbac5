/** The script for fish. */
import type { Flag } from '../flag';
import type { Subcommand } from '../subcommand';
import { candidatesOf, flagsOf, spellings, type Candidates, type Known } from './candidates';

const known: Readonly<Record<Known, string | undefined>> = {
  // What fish offers anyway.
  file: undefined,
  directory: '(__fish_complete_directories)',
  user: '(__fish_complete_users)',
  group: '(__fish_complete_groups)',
  variable: '(set --names --export)',
};

const quoted = (text: string): string => `'${text.replace(/[\\']/g, String.raw`\$&`)}'`;

/** How the argument of a flag is completed. */
function argument(candidates: Candidates | undefined): string {
  if (candidates === undefined) return ' -x';
  const offered = 'known' in candidates ? known[candidates.known] : candidates.words.join(' ');
  return offered === undefined ? ' -rF' : ` -xa ${quoted(offered)}`;
}

function ofFlag(command: string, flag: Flag<never>): string {
  const { name, short, value, help } = flag;
  const option = `-l ${name}${short === undefined ? '' : ` -s ${short}`}`;
  const takes = value === undefined ? '' : argument(candidatesOf(flag.complete));
  return `complete -c vircommand -n '__vircommand_options ${command}' ${option}${takes} -d ${quoted(help)}`;
}

function ofSubcommand(subcommand: Subcommand): string {
  const { name, own } = subcommand;
  const [first] = own;
  const condition = `-n '__vircommand_options ${name}'`;
  const candidates = candidatesOf(first?.complete);
  const positional =
    candidates === undefined
      ? []
      : 'words' in candidates
        ? [`complete -c vircommand ${condition} -xa ${quoted(candidates.words.join(' '))}`]
        : [`complete -c vircommand ${condition} -F`];
  return [...flagsOf(subcommand).map((flag) => ofFlag(name, flag)), ...positional].join('\n');
}

/** What may stand before the program. */
function beforeProgram(subcommand: Subcommand): string {
  const valued = flagsOf(subcommand).filter(({ value }) => value !== undefined);
  return [
    `        case ${subcommand.name}`,
    `            set valued ${valued.flatMap(spellings).join(' ')}`,
    `            set own ${subcommand.own.length}`,
  ].join('\n');
}

export const fish = (subcommands: readonly Subcommand[]): string => `# fish completion for vircommand
# vircommand completion fish | source

# The index of the word where the program begins, if that is the one being typed or before it.
function __vircommand_program_at
    set -l words (commandline -opc)
    set -l valued
    set -l own 0
    switch "$words[2]"
${subcommands
  .filter(({ program }) => program)
  .map(beforeProgram)
  .join('\n')}
        case '*'
            return 1
    end
    set -l index 3
    while test $index -le (count $words)
        set -l word $words[$index]
        if test "$word" = --
            math $index + 1
            return 0
        else if contains -- $word $valued
            set index (math $index + 1)
        else if not string match -q -- '-*' $word
            if test $own -eq 0
                echo $index
                return 0
            end
            set own (math $own - 1)
        end
        set index (math $index + 1)
    end
    # Otherwise a value is being typed, or an option, or what the command has itself.
    test $index -eq (math (count $words) + 1); and test $own -eq 0
    and not string match -q -- '-*' (commandline -ct)
    and echo $index
end

# Whether options of this command can come.
function __vircommand_options
    set -l words (commandline -opc)
    contains -- -- $words; and return 1
    set -l at (__vircommand_program_at); and test $at -le (count $words); and return 1
    test (count $words) -ge 2; and test $words[2] = $argv[1]
end

# Whether the program begins, or has begun.
function __vircommand_in_program
    __vircommand_program_at >/dev/null
end

# As if the program were typed alone.
function __vircommand_program
    set -l words (commandline -opc)
    set -l at (__vircommand_program_at)
    set -l rest
    test $at -le (count $words); and set rest (string escape -- $words[$at..-1])
    complete -C (string join ' ' -- $rest (commandline -ct))
end

complete -c vircommand -f
complete -c vircommand -n __vircommand_in_program -xa '(__vircommand_program)'
complete -c vircommand -n __fish_is_first_token -s V -l version -d 'print the version'
${subcommands
  .map(({ name, summary }) => `complete -c vircommand -n __fish_is_first_token -xa ${name} -d ${quoted(summary)}`)
  .join('\n')}
${subcommands.map(ofSubcommand).join('\n')}
`;
