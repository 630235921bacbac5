/** What means something to a shell, and is refused in a template, since here it would be plain text or nothing. */

/** A piece of shell syntax. */
export interface Syntax {
  /** Sticky: it is looked for at each place of the text. */
  readonly pattern: RegExp;
  /** `word`: only where a word begins; `command`: only where the first one does. */
  readonly at?: 'word' | 'command';
  /** Means something between double quotes too. */
  readonly quoted?: true;
  readonly name: string;
  readonly alternative: string;
}

const literally = 'in quotes it is plain text';

/** In the order of the looking. */
export const SYNTAX: readonly Syntax[] = [
  { pattern: /&&/y, name: '&&', alternative: 'await one command, then the next; a failure throws' },
  { pattern: /\|\|/y, name: '||', alternative: 'try and catch, or { reject: false } and a look at `failed`' },
  {
    pattern: /\|/y,
    name: 'a pipe',
    alternative: "{ input: first.stdout }, or runAsync() of both with 'pipe' and stream.pipeline()",
  },
  { pattern: /&/y, name: '&', alternative: 'start without await, and await later; or runAsync()' },
  { pattern: /;/y, name: ';', alternative: 'a template for each command' },
  { pattern: />/y, name: '>', alternative: "$({ stdout: { file, append } }), $({ all: true }) for '2>&1'" },
  { pattern: /</y, name: '<', alternative: '$({ inputFile }) or $({ input })' },
  { pattern: /[()]/y, name: 'a subshell', alternative: 'a function of your own' },
  {
    pattern: /\$[\w{(@*#?$!-]/y,
    quoted: true,
    name: 'an expansion',
    alternative: 'interpolate a value: ${process.env.NAME}, ${await $`...`}; a backslash before $ makes it plain text',
  },
  { pattern: /\$['"]/y, name: 'a quoted expansion', alternative: 'interpolate a string of JavaScript' },
  { pattern: /`/y, quoted: true, name: 'a command substitution', alternative: 'interpolate a result: ${await $`...`}' },
  {
    pattern: /[*?]|\[[^\] \t\r\n]+\]/y,
    name: 'a file name pattern',
    alternative: `glob() of node:fs/promises or readdir(), and interpolate the array; ${literally}`,
  },
  {
    pattern: /\{[^{} \t\r\n'"]*(?:,|\.\.)[^{} \t\r\n'"]*\}/y,
    name: 'a brace expansion',
    alternative: `interpolate an array; ${literally}`,
  },
  { pattern: /~/y, at: 'word', name: '~', alternative: `interpolate \${os.homedir()}; ${literally}` },
  { pattern: /#/y, at: 'word', name: 'a comment', alternative: `a comment outside the template; ${literally}` },
  { pattern: /!(?=[ \t\r\n]|$)/y, at: 'command', name: '!', alternative: '{ reject: false } and a look at `exitCode`' },
  { pattern: /[A-Za-z_]\w*=/y, at: 'command', name: 'an assignment', alternative: '$({ env: { NAME: value } })' },
];

/** Words that only a shell can do, as the first of a template. */
export const BUILTINS: Readonly<Record<string, string>> = {
  '[[': 'an if of your own',
  cd: '$({ cwd })',
  pushd: '$({ cwd })',
  popd: '$({ cwd })',
  export: '$({ env }) for one command, process.env for all',
  unset: '$({ env: { NAME: undefined } })',
  set: 'options of the call',
  alias: 'a function of your own',
  source: "$({ env }), or run('sh', ['-c', text])",
  '.': "$({ env }), or run('sh', ['-c', text])",
  eval: "run('sh', ['-c', text]), with text of your own only",
  exec: 'the program itself',
  trap: 'process.on(signal) and abortAll()',
  ulimit: 'setLimit() of Command',
  umask: 'setUmask() of Command',
  wait: 'await',
};
