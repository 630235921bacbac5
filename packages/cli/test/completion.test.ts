/** The completion scripts, run by the shells themselves. */
import { expect } from 'chai';
import { mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { runProgram, scratch, vircommand } from './installed';
import { peer } from './peer';
import { startAtTerminal, type Started } from './started';

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
  ['vircommand run --env A=1 --limit nofile=64:128 --pass-fd 3:4 --dry', ['--dry-run'], ['setsid']],
  ['vircommand run --env A=1 --user ', ['root'], ['setsid']],
  ['vircommand run --env A=1 -- set', ['setsid']],
  ['vircommand run --nice 5 set', ['setsid']],
  ['vircommand status pid', ['pidfile']],
  ['vircommand record f.json set', ['setsid']],
  ['vircommand stop --kill', ['--kill-delay'], ['--timeout']],
  ['vircommand completion ', [...kinds]],
];

/** What a line is in bash when the cursor was at its end, and it was completed and run. */
const completedByBash: readonly (readonly [line: string, completed: string])[] = [
  ['run --env A=1 --dry', 'run --env A=1 --dry-run'],
  ['run --env A= --dry', 'run --env A= --dry-run'],
  ['run --env "A=b c" --dry', 'run --env A=b c --dry-run'],
  ['run --limit nofile=64:128 --dry', 'run --limit nofile=64:128 --dry-run'],
  ['run --pass-fd 3:4 --dry', 'run --pass-fd 3:4 --dry-run'],
  ['run --user=nobody --dry', 'run --user=nobody --dry-run'],
  ['run --user=roo', 'run --user=root'],
  ['run --stdin=pid', 'run --stdin=pidfile'],
  ['run --cwd=', 'run --cwd=only/'],
  ['run --stdin with:colon:a', 'run --stdin with:colon:and more'],
  ['run --limit=cor', 'run --limit=core='],
  ['run --limit core=', 'run --limit core='],
  ['run --process-group=ow', 'run --process-group=own'],
  ['run --env A=1 -- cat pid', 'run --env A=1 -- cat pidfile'],
  ['run --env A=1 cat pid', 'run --env A=1 cat pidfile'],
  ['run --env A=1 -- env --chdir=pid', 'run --env A=1 -- env --chdir=pidfile'],
  ['status -- pid', 'status -- pidfile'],
  ['record -- pid', 'record -- pidfile'],
  ['record -- f.json cat pid', 'record -- f.json cat pidfile'],
  ['record f.json -- cat pid', 'record f.json -- cat pidfile'],
  ['status --program=/bin/sh pid', 'status --program=/bin/sh pidfile'],
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

/** Says what is offered, and what is run. */
const bashSetup = (script: string): string => `
bind 'set enable-bracketed-paste off'
source '${script}'
say() {
  _vircommand
  printf '%s\\n' '${begin}' "\${COMPREPLY[@]}" '${end}'
}
complete -F say vircommand
vircommand() {
  printf '%s\\n' "${begin}$*${end}"
}
PS1="at""-prompt "
`;

/** bash says what its words are only to what it completes with at a terminal. */
async function startBash(shell: string, script: string): Promise<Started> {
  const env = { SHELL_TO_RUN: shell, SETUP: `${script}.setup`, HISTFILE: '', TERM: 'dumb' };
  const terminal = await startAtTerminal('exec "$SHELL_TO_RUN" --norc --noprofile -i', env);
  terminal.type('stty -echo; cd "${SETUP%/*}/at-bash"; source "$SETUP"\n');
  // What is typed before bash reads would be lost when it changes the terminal.
  await terminal.wrote(/at-prompt $/);
  return terminal;
}

/** Types something that is answered. */
async function ask(terminal: Started, text: string): Promise<string> {
  terminal.text = '';
  terminal.type(text);
  const [, answer = ''] = await terminal.wrote(new RegExp(`${begin}([^]*?)${end}`));
  return answer;
}

/** For each other shell, how it completes the lines that it reads. */
const completers: Readonly<Record<Exclude<Kind, 'bash'>, (script: string) => string>> = {
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
    const atBash = path.join(directory, 'at-bash');
    mkdirSync(path.join(atBash, 'only'), { recursive: true });
    for (const file of [path.join(directory, 'pidfile'), path.join(atBash, 'pidfile')]) writeFileSync(file, '1\n');
    writeFileSync(path.join(atBash, 'with:colon:and more'), '');
  });

  for (const kind of kinds) {
    describe(`of ${kind}`, () => {
      let answers: readonly (readonly string[])[];
      let bash: Started | undefined;
      before(async function () {
        const shell = peer(kind, this);
        const script = path.join(directory, `completion.${kind}`);
        writeFileSync(script, (await vircommand(['completion', kind])).stdout);
        if (kind === 'bash') {
          writeFileSync(`${script}.setup`, bashSetup(script));
          bash = await startBash(shell, script);
          const offered: string[][] = [];
          for (const [line] of lines) {
            offered.push((await ask(bash, `${line}\t`)).split(/\s+/));
            bash.type('\x15');
          }
          answers = offered;
          return;
        }
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
      after(() => bash?.[Symbol.asyncDispose]());

      lines.forEach(([line, offered, never = []], index) => {
        it(`'${line}' offers ${offered.join(', ')}`, () => {
          const words = answers[index] ?? [];
          expect(words).to.include.members([...offered]);
          for (const word of never) expect(words).to.not.include(word);
        });
      });

      if (kind !== 'bash') return;
      for (const [line, completed] of completedByBash) {
        it(`'vircommand ${line}' becomes 'vircommand ${completed}'`, async () => {
          if (bash === undefined) throw new Error('bash was not started');
          await ask(bash, `vircommand ${line}\t`);
          expect(await ask(bash, '\n')).to.equal(completed);
          await bash.wrote(/at-prompt $/);
        });
      }
    });
  }
});
