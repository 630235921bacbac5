/** The report to be read, in 80 columns. */
import { width, wrap } from '../help';
import type { Paint } from '../output';
import type { Named, Report, Verdict } from './report';

const marks = { yes: '✔', limited: '!', no: '✘' } as const;
const styles = { yes: 'green', limited: 'yellow', no: 'red' } as const;
const nameColumn = 23;

function because({ reason, remedy }: Verdict, prefix: string): string {
  const indent = ' '.repeat(6);
  const lines = (text: string, first: string): string =>
    `${indent}${wrap(first + text, width - indent.length - 2).join(`\n${indent}  `)}\n`;
  return (reason === undefined ? '' : lines(reason, prefix)) + (remedy === undefined ? '' : lines(remedy, '→ '));
}

function named(items: readonly Named[], paint: Paint, usual: string): string {
  return items
    .map((item) => {
      const works = item.state === 'yes' ? `works${item.usual === true ? `; ${usual}` : ''}` : '';
      return (
        `  ${paint(styles[item.state], marks[item.state])} ${item.name.padEnd(nameColumn - 4)} ${works}`.trimEnd() +
        `\n${because(item, '')}`
      );
    })
    .join('');
}

function features({ features: all, backends }: Report, paint: Paint): string {
  const names = backends.map(({ name }) => name);
  const head = `  ${''.padEnd(nameColumn - 2)} ${names.join('  ')}\n`;
  const rows = all.map(({ name, summary, backends: verdicts }) => {
    const cells = names.map((backend) => {
      const { state } = verdicts[backend] ?? { state: 'no' };
      return paint(styles[state], marks[state]) + ' '.repeat(backend.length - 1);
    });
    const row = `  ${name.padEnd(nameColumn - 2)} ${cells.join('  ')}`;
    const room = width - nameColumn - names.join('  ').length - 3;
    const [first = '', ...rest] = wrap(summary, room);
    const pad = ' '.repeat(width - room);
    const text = [`${row}  ${paint('dim', first)}`, ...rest.map((line) => pad + paint('dim', line))].join('\n');
    return `${text}\n${names.map((backend) => because(verdicts[backend] ?? { state: 'no' }, `${backend}: `)).join('')}`;
  });
  return head + rows.join('');
}

function facts({ system, capabilities }: Report): string {
  const { user } = system;
  const held = capabilities?.effective ?? [];
  const all = held.length > 0 && held.length === capabilities?.bounding.length;
  const flags = [
    ...(system.noNewPrivs === true ? ['no new privileges: setuid programs and file capabilities do nothing here'] : []),
    ...(system.seccomp === true ? ['a seccomp filter is in force, which may refuse anything'] : []),
  ];
  const lines: readonly (readonly [string, string])[] = [
    [
      'kernel',
      `${system.platform} ${system.kernel}, ${system.architecture}${system.libc === undefined ? '' : `, ${system.libc}`}`,
    ],
    ['Node.js', system.node],
    ['user', `${user.name ?? 'without a name'}, uid ${user.uid}, gid ${user.gid}`],
    [
      'capabilities',
      held.length === 0 ? 'none' : `${all ? `all ${held.length} that can be had: ` : ''}${held.join(' ')}`,
    ],
    ...flags.map((flag) => ['', flag] as const),
  ];
  const column = 16;
  return lines
    .map(
      ([name, text]) => `  ${name.padEnd(column - 2)}${wrap(text, width - column).join(`\n${' '.repeat(column)}`)}\n`,
    )
    .join('');
}

function limits({ limits: all }: Report): string {
  const shown = (limit: string): string => limit.padStart(20);
  const rows = all.map(({ name, soft, hard }) => `  ${name.padEnd(12)}${shown(soft)}${shown(hard)}\n`);
  return `  ${''.padEnd(12)}${shown('soft')}${shown('hard')}\n${rows.join('')}`;
}

/** All of it. */
export function reportText(report: Report, paint: Paint): string {
  const heading = (text: string): string => `\n${paint('bold', text)}\n`;
  return [
    `${paint('bold', `vircommand ${report.vircommand}`)}\n`,
    facts(report),
    heading('Drivers of the backend posix, by which it calls libc'),
    named(report.drivers, paint, 'used, unless VIRCOMMAND_FFI names another one'),
    heading('Backends, which start programs'),
    named(report.backends, paint, 'used, unless VIRCOMMAND_BACKEND names another one'),
    heading('Features'),
    features(report, paint),
    heading('Limits of this process, which programs inherit'),
    ...(report.limits.length === 0 ? ['  unknown: there is no /proc\n'] : [limits(report)]),
    ...(report.limits.length === 0 ? [] : ['  Node.js raises the soft limit nofile to the hard one when it starts.\n']),
  ].join('');
}
