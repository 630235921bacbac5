/** Which programs take a text that a shell reads, and where among their arguments. */
import type { Argument } from './arguments';

interface Shell {
  /** Whether this option says that a script follows. */
  readonly flag: RegExp;
  /** All that follows is the script, and not only the next argument. */
  readonly rest: boolean;
}

const posix: Shell = { flag: /^-[a-zA-Z]*c$/, rest: false };
const powershell: Shell = { flag: /^[-/](?:c|command|encodedcommand)$/i, rest: true };

const shells: Readonly<Record<string, Shell>> = {
  sh: posix,
  ash: posix,
  bash: posix,
  dash: posix,
  fish: posix,
  ksh: posix,
  mksh: posix,
  zsh: posix,
  cmd: { flag: /^\/[ckr]$/i, rest: true },
  powershell,
  pwsh: powershell,
};

/** Programs that run the program that their arguments name. */
const wrappers = new Set(['busybox', 'doas', 'env', 'nice', 'nohup', 'setpriv', 'setsid', 'stdbuf', 'sudo', 'timeout']);

const baseName = (program: string): string =>
  program
    .replace(/^.*[\\/]/, '')
    .replace(/\.exe$/i, '')
    .toLowerCase();

/** The script that a command gives to a shell. */
export interface Script {
  /** As the command names it. */
  readonly shell: string;
  /** Whether `$1` stands for an argument in it. */
  readonly isPosix: boolean;
  /** The arguments that the shell reads. */
  readonly parts: readonly Argument[];
  /** Whether nothing follows the script. */
  readonly isLast: boolean;
}

/** The script among the arguments of a program, if the program is a shell and is given one. */
export function scriptOf(program: string, args: readonly Argument[]): Script | undefined {
  const texts = args.map(({ text }) => text);
  let shellName = baseName(program);
  let from = 0;
  if (wrappers.has(shellName)) {
    const at = texts.findIndex((text) => text !== undefined && Object.hasOwn(shells, baseName(text)));
    if (at === -1) return undefined;
    shellName = baseName(texts[at] ?? '');
    from = at + 1;
  }
  const shell = Object.hasOwn(shells, shellName) ? shells[shellName] : undefined;
  if (shell === undefined) return undefined;
  const flag = texts.findIndex((text, i) => i >= from && text !== undefined && shell.flag.test(text));
  if (flag === -1) return undefined;
  // Options may stand between -c and its script.
  const option = (text: string | undefined): boolean => !shell.rest && text !== undefined && /^[-+]./.test(text);
  const start = texts.findIndex((text, i) => i > flag && !option(text));
  if (start === -1) return undefined;
  const parts = shell.rest ? args.slice(start) : args.slice(start, start + 1);
  return {
    shell: shellName,
    isPosix: shell === posix && shellName !== 'fish',
    parts,
    isLast: start + parts.length === args.length,
  };
}
