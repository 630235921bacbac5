/** The texts of `--help`, made of what the subcommands say of themselves. */
import { entry, flagsHelp, paragraph, wrap, width } from './help';
import { painter, type Output } from './output';
import type { Subcommand } from './subcommand';

const column = 18;

/** `vircommand record [OPTIONS] FILE [--] PROGRAM [ARG...]` */
export function usageLine({ name, flags, own, program }: Subcommand): string {
  const words = [
    ...(flags.length > 0 ? ['[OPTIONS]'] : []),
    ...own.map(({ usage }) => usage),
    ...(program ? ['[--] PROGRAM [ARG...]'] : []),
  ];
  return `vircommand ${[name, ...words].join(' ')}`;
}

/** What there is. */
export function overview(subcommands: readonly Subcommand[], output: Output): string {
  const paint = painter(output);
  const lines = subcommands.map(({ name, summary }) => entry(name, summary, column, (term) => paint('green', term)));
  return [
    `${paint('bold', 'Usage:')} vircommand COMMAND [OPTIONS] ...\n\n`,
    paragraph(
      'Runs other programs as virCommand of libvirt does: what they get is what was said, and nothing is left of them.',
    ),
    `\n${paint('bold', 'Commands:')}\n`,
    ...lines,
    `\n${paint('bold', 'Options:')}\n`,
    entry('-h, --help', 'this text, or after a command the text about it', column, (term) => paint('green', term)),
    entry('-V, --version', 'the version', column, (term) => paint('green', term)),
    `\n${paint('bold', 'Environment:')}\n`,
    entry('VIRCOMMAND_BACKEND', 'posix or child-process, instead of the best one that works here', 24, (term) => term),
    entry('VIRCOMMAND_FFI', 'koffi, ffi-napi or node: how the backend posix calls libc', 24, (term) => term),
    entry('NO_COLOR', 'no colours, also on a terminal', 24, (term) => term),
  ].join('');
}

/** About one subcommand. */
export function helpOf(subcommand: Subcommand, output: Output): string {
  const paint = painter(output);
  const { summary, details, flags, examples } = subcommand;
  const capital = summary.charAt(0).toUpperCase() + summary.slice(1);
  const usage = wrap(usageLine(subcommand), width - 'Usage: '.length).join('\n       ');
  return [
    `${paint('bold', 'Usage:')} ${usage}\n\n`,
    paragraph(`${capital}.`),
    ...details.map((text) => `\n${paragraph(text)}`),
    flagsHelp(flags, paint),
    `\n  ${paint('green', '-h, --help')}${' '.repeat(14)}this text\n`,
    ...(examples.length === 0 ? [] : [`\n${paint('bold', 'Examples:')}\n`, ...examples.map((line) => `  ${line}\n`)]),
  ].join('');
}
