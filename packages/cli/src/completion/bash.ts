/** The script for bash. It needs nothing of the package bash-completion, and uses it for the program where it is there. */
import type { Flag } from '../flag';
import type { Subcommand } from '../subcommand';
import { candidatesOf, flagsOf, quoted, spellings, type Candidates, type Known } from './candidates';

const known: Readonly<Record<Known, string>> = {
  file: '_vircommand_files -f',
  directory: '_vircommand_files -d',
  user: '_vircommand_reply -u',
  group: '_vircommand_reply -g',
  variable: '_vircommand_reply -e',
};

const offer = (candidates: Candidates): string =>
  'known' in candidates ? known[candidates.known] : `_vircommand_reply -W ${quoted(candidates.words.join(' '))}`;

/** What a value may be: by the flag alone, which means the same everywhere. */
function values(subcommands: readonly Subcommand[]): string {
  const seen = new Map<string, Flag<never>>();
  for (const flag of subcommands.flatMap(flagsOf)) if (flag.value !== undefined) seen.set(flag.name, flag);
  const cases = Array.from(seen.values(), (flag) => {
    const candidates = candidatesOf(flag.complete);
    return candidates === undefined ? '' : `    ${spellings(flag).join('|')}) ${offer(candidates)} ;;\n`;
  });
  return cases.join('');
}

function ofSubcommand(subcommand: Subcommand): string {
  const { name, own, program } = subcommand;
  const flags = flagsOf(subcommand);
  const valued = flags.filter(({ value }) => value !== undefined).flatMap(spellings);
  const [first] = own;
  const positional = first === undefined ? ':' : offer(candidatesOf(first.complete) ?? { words: [] });
  return [
    `    ${name})`,
    `      flags=${quoted(flags.map((flag) => `--${flag.name}`).join(' '))}`,
    `      valued=${quoted(` ${valued.join(' ')} `)} own=${own.length} program=${program ? 1 : 0}`,
    `      positional=${quoted(positional)} ;;`,
  ].join('\n');
}

export const bash = (subcommands: readonly Subcommand[]): string => `# bash completion for vircommand
# source <(vircommand completion bash)

# Words also end at what COMP_WORDBREAKS has, = and : for instance. Puts together what no space is between, up to the cursor.
_vircommand_words() {
  local line=$COMP_LINE index part
  for ((index = 0; index <= COMP_CWORD; index++)); do
    part=\${COMP_WORDS[index]}
    if ((index == 0)) || [[ $line == [[:space:]]* ]]; then
      words+=("$part") starts+=("$index")
    else
      words[\${#words[@]} - 1]+=$part
    fi
    line=\${line#*"$part"}
  done
}

# Only the part of the word that follows the last break is replaced.
_vircommand_reply() {
  mapfile -t COMPREPLY < <(compgen -P "$given" "$@" -- "$cur")
  COMPREPLY=("\${COMPREPLY[@]#"$kept"}")
  [[ -z \${COMPREPLY[*]} ]] && COMPREPLY=()
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
  return 0
}

_vircommand_files() {
  compopt -o filenames 2>/dev/null
  _vircommand_reply "$@"
}

_vircommand_value() {
  case $1 in
${values(subcommands)}  esac
}

# The program and its arguments, from the word with this index on.
_vircommand_program() {
  cur=$part kept=
  if declare -F _command_offset >/dev/null; then
    _command_offset "\${starts[$1]}"
  elif ((cword == $1)); then
    _vircommand_reply -c
  else
    _vircommand_files -f
  fi
}

_vircommand() {
  local words=() starts=() cword cur part kept given= word flags valued own program positional index
  COMPREPLY=()
  _vircommand_words
  cword=$((\${#words[@]} - 1))
  cur=\${words[cword]} part=\${COMP_WORDS[COMP_CWORD]}
  [[ -z \${part//[$COMP_WORDBREAKS]/} ]] && part=
  kept=\${cur%"$part"}
  if ((cword == 1)); then
    _vircommand_reply -W ${quoted([...subcommands.map(({ name }) => name), '--help', '--version'].join(' '))}
    return
  fi
  case \${words[1]} in
${subcommands.map(ofSubcommand).join('\n')}
    *) return ;;
  esac
  for ((index = 2; index < cword; index++)); do
    word=\${words[index]}
    if [[ $word == -- ]]; then
      ((index += own + 1))
      if ((index > cword)); then
        eval "$positional"
      elif ((program)); then
        _vircommand_program $index
      fi
      return
    elif [[ $valued == *" $word "* ]]; then
      ((++index == cword)) && _vircommand_value "$word" && return
    elif [[ $word != -* ]] && ((own-- == 0)); then
      ((program)) && _vircommand_program $index
      return
    fi
  done
  if [[ $cur == --*=* ]]; then
    word=\${cur%%=*}
    given=$word= cur=\${cur#*=}
    [[ $valued == *" $word "* ]] && _vircommand_value "$word"
  elif [[ $cur == -* ]]; then
    _vircommand_reply -W "$flags"
  elif ((own > 0)); then
    eval "$positional"
  elif ((program)); then
    _vircommand_program $cword
  fi
}

complete -F _vircommand vircommand
`;
