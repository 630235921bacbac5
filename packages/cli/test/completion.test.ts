/** The completion scripts, run by the shells themselves. */
import { expect } from 'chai';
import { mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { runProgram, scratch, vircommand } from './installed';
import { peer } from './peer';

const kinds = ['bash', 'zsh', 'fish'] as const;
type Kind = (typeof kinds)[number];

/** What a line is completed to, where the cursor is at its end, and words of which some must not be offered. */
const lines: readonly (readonly [line: string, offered: readonly string[], never?: readonly string[]])[] = [
  ['vircommand ', ['run', 'record', 'replay', 'doctor', 'stop', 'status', 'completion']],
  ['vircommand re', ['record', 'replay'], ['run']],
  ['vircommand run --lim', ['--limit']],
  ['vircommand run --backend ', ['posix', 'child-process']],
  ['vircommand run --process-group o', ['own', 'ours']],
  ['vircommand run --cap net_b', ['net_bind_service', 'net_broadcast'], ['chown']],
  ['vircommand run --limit no', ['nofile='], ['core=']],
  ['vircommand run --user roo', ['root']],
  ['vircommand run --clean-env --nice 5 -- set', ['setsid']],
  ['vircommand run --nice 5 set', ['setsid']],
  ['vircommand status pid', ['pidfile']],
  ['vircommand record f.json set', ['setsid']],
  ['vircommand stop --kill', ['--kill-delay'], ['--timeout']],
  ['vircommand completion ', [...kinds]],
];

/** What comes before and after the words for one line; the rest is what a terminal shows. */
const [begin, end] = ['<begin>', '<end>'];

/** In zsh, instead of showing what would be offered, says it. */
const zshSetup = (script: string): string => `
PS1= PS2= RPS1=
autoload -U compinit
compinit -u -D
source '${script}'
compadd() {
  local -a offered
  builtin compadd -O offered "$@"
  print -rl -- "\${offered[@]}"
  builtin compadd "$@"
}
say-all() {
  print -r -- '${begin}'
  _main_complete
  print -r -- '${end}'
}
zle -C say-all list-choices say-all
bindkey '^Y' say-all
print -r -- '${begin}${end}'
`;

/** For each shell, how it completes the lines that it reads. */
const completers: Readonly<Record<Kind, (script: string) => string>> = {
  bash: (script) => `
source '${script}'
while IFS= read -r line; do
  read -ra COMP_WORDS <<< "$line"
  [[ $line == *' ' ]] && COMP_WORDS+=('')
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)) COMP_LINE=$line COMP_POINT=\${#line} COMPREPLY=()
  _vircommand
  printf '%s\\n' '${begin}' "\${COMPREPLY[@]}" '${end}'
done`,
  zsh: (script) => `
zmodload zsh/zpty
zpty terminal zsh -f -i
zpty -w terminal "stty -echo -onlcr; source '${script}.setup'"
zpty -r terminal reply '*${end}*'
while IFS= read -r line; do
  zpty -n -w terminal "$line"$'\\C-y'
  zpty -r terminal reply '*${end}*'
  print -r -- "$reply"
  zpty -n -w terminal $'\\C-u'
done
zpty -d terminal`,
  fish: (script) => `
source '${script}'
while read -l line
  echo '${begin}'
  complete --do-complete "$line" | string replace -r '\\t.*' ''
  echo '${end}'
end`,
};

const answersIn = (text: string): string[][] =>
  Array.from(text.matchAll(new RegExp(`${begin}([^]*?)${end}`, 'g')), ([, words = '']) => words.split(/\s+/));

describe('completion', function () {
  this.timeout(60_000);
  if (process.platform !== 'linux') return;
  const directory = scratch();

  before(() => {
    writeFileSync(path.join(directory, 'pidfile'), '1\n');
  });

  for (const kind of kinds) {
    describe(`of ${kind}`, () => {
      let answers: readonly (readonly string[])[];
      before(async function () {
        const shell = peer(kind, this);
        const script = path.join(directory, `completion.${kind}`);
        writeFileSync(script, (await vircommand(['completion', kind])).stdout);
        writeFileSync(`${script}.setup`, zshSetup(script));
        const home = path.join(directory, kind);
        mkdirSync(home);
        const run = await runProgram([shell, ...(kind === 'zsh' ? ['-f'] : []), '-c', completers[kind](script)], {
          input: lines.map(([line]) => `${line}\n`).join(''),
          cwd: directory,
          env: { HOME: home, TERM: 'dumb' },
        });
        expect(run.stderr).to.equal('');
        answers = answersIn(run.stdout);
      });

      lines.forEach(([line, offered, never = []], index) => {
        it(`'${line}' offers ${offered.join(', ')}`, () => {
          const words = answers[index] ?? [];
          expect(words).to.include.members([...offered]);
          for (const word of never) expect(words).to.not.include(word);
        });
      });
    });
  }
});
