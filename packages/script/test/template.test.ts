import { expect } from 'chai';
import fc from 'fast-check';
import { Command as RealCommand } from '@vircommand/child-process';
import { CommandUsageError, secret } from '@vircommand/core';
import { createMock } from '@vircommand/mock';
import { createScript, MigrationError, type TemplateValue } from '@vircommand/script';

/** The arguments that the template makes of program `p`. */
function args(strings: TemplateStringsArray, ...values: TemplateValue[]): readonly string[] {
  const mock = createMock();
  mock.on('p').reply({}).always();
  createScript(mock.Command).$.sync(strings, ...values);
  return mock.onlyCall().args;
}

/** As if a template with this text was written. */
function written(...raw: string[]): TemplateStringsArray {
  return Object.assign([...raw], { raw });
}

describe('a template', () => {
  const cases: Readonly<Record<string, readonly [readonly string[], readonly string[]]>> = {
    'is cut at blanks': [args`p  a	b `, ['a', 'b']],
    'keeps what single quotes hold': [args`p 'a  "b" $x | \n'`, ['a  "b" $x | \\n']],
    'keeps what double quotes hold, but for escapes': [args`p "a  'b' | \"c\" \\ \d"`, [`a  'b' | "c" \\ \\d`]],
    'joins what has no blank between': [args`p a'b'"c"${'d'}e`, ['abcde']],
    'leaves escapes of characters between quotes to the program': [args`p 'a\tb' "\n\x41"`, ['a\\tb', '\\n\\x41']],
    'knows empty arguments': [args`p '' "" ${''}`, ['', '', '']],
    'takes the meaning from what a backslash precedes': [args`p a\ b \| \$HOME \* \'`, ['a b', '|', '$HOME', '*', "'"]],
    'goes on behind a backslash at the end of a line': [
      args`p a \
        b`,
      ['a', 'b'],
    ],
    'may begin and end with empty lines': [
      args`
        p a
      `,
      ['a'],
    ],
    'keeps blanks of Unicode that no shell splits at': [
      args(written('p a\u00a0b c\u3000d\te\ufefff g')),
      ['a\u00a0b', 'c\u3000d', 'e\ufefff', 'g'],
    ],
    'makes text of numbers': [args`p ${-1.5} -n${10n}`, ['-1.5', '-n10']],
    'makes an argument of each item of an array': [args`p ${['a b', 1]} ${[]} c`, ['a b', '1', 'c']],
    'interpolates between quotes': [args`p "x ${'$y "z"'}" '${'a'} b'`, ['x $y "z"', 'a b']],
    'knows what looks like syntax and is none': [
      args`p {} stash@{0} a=b x#y 5$ a~ [ ] -- !`,
      ['{}', 'stash@{0}', 'a=b', 'x#y', '5$', 'a~', '[', ']', '--', '!'],
    ],
  };
  for (const [title, [got, expected]] of Object.entries(cases)) {
    it(title, () => {
      expect(got).to.deep.equal(expected);
    });
  }

  it('takes the output of a result', async () => {
    const mock = createMock();
    mock.on('head').reply({ stdout: 'abc\n' });
    mock.on('p').reply({});
    const { $ } = createScript(mock.Command);
    await $`p ${await $`head`}`;
    expect(mock.calls[1]?.args).to.deep.equal(['abc']);
  });

  it('hides secrets, and sends bytes', async () => {
    const mock = createMock();
    mock.on('p').reply({});
    const { command } = await createScript(mock.Command).$`p --token=${secret('hunter2')} ${Buffer.from('ü')}`;
    expect(command).to.equal("p '--token=***' ü");
    expect(mock.onlyCall().plan.argv).to.deep.equal(['p', '--token=hunter2', 'ü']);
  });

  const refused: Readonly<Record<string, string>> = {
    'p | q': "'|' (a pipe)",
    'p || q': "'||' (||)",
    'p && q': "'&&' (&&)",
    'p &': "'&' (&)",
    'p; q': "';' (;)",
    'p > f': "'>' (>)",
    'p 2>&1': "'>' (>)",
    'p <f': "'<' (<)",
    '(p)': "'(' (a subshell)",
    'p $HOME': "'$H' (an expansion)",
    'p "$(q)"': "'$(' (an expansion)",
    "p $'a'": `'$'' (a quoted expansion)`,
    '[[ -f x ]]': "'[[' (a builtin)",
    'p *.ts': "'*' (a file name pattern)",
    'p a?': "'?' (a file name pattern)",
    'p [ab]c': "'[ab]' (a file name pattern)",
    'p {a,b}': "'{a,b}' (a brace expansion)",
    'p ~/x': "'~' (~)",
    'p # x': "'#' (a comment)",
    '! p': "'!' (!)",
    'A=1 p': "'A=' (an assignment)",
    'p\nq': 'a line break (between words)',
    'cd x': "'cd' (a builtin)",
    'p a\\tb': "'\\t' (an escape)",
    'p \\u0041': "'\\u' (an escape)",
    'C:\\new\\p': "'\\n' (an escape)",
  };
  for (const [text, asked] of Object.entries(refused)) {
    it(`refuses ${JSON.stringify(text)}, and says what to use`, () => {
      const mock = createMock();
      const error = caught(() => createScript(mock.Command).$(written(text)));
      expect(error).to.be.instanceOf(MigrationError).and.instanceOf(CommandUsageError);
      expect(error).to.include({ name: 'MigrationError', code: 'ERR_COMMAND_USAGE', asked });
      expect(error.message).to.match(/; instead: .{5,}/);
      expect(mock.calls).to.deep.equal([]);
    });
  }

  const brand = Symbol.for('vircommand.secret');
  const mistakes: readonly (readonly [string, () => unknown, RegExp])[] = [
    ['no program', () => args`  `, /holds no program/],
    ['an open quote', () => args`p "a`, /ends inside " quotes/],
    ['an array inside an argument', () => args`p --x=${['a']}`, /blanks must be around it/],
    ['an array before text', () => args`p ${['a']}b`, /blanks must be around it/],
    ['undefined', () => args(written('p ', ''), undefined as never), /cannot interpolate undefined/],
    ['NaN', () => args`p ${NaN}`, /cannot interpolate NaN/],
    ['an object', () => args(written('p ', ''), {} as never), /an object; interpolate the property/],
    ['what is no secret()', () => args(written('p ', ''), { [brand]: 'x' } as never), /an object; interpolate/],
    ['a promise', () => args(written('p ', ''), Promise.resolve('') as never), /a promise; await it/],
    ['arrays in arrays', () => args(written('p ', ''), [['a']] as never), /flat\(\)/],
    ['a program that is a secret', () => args`${secret('p')} a`, /program must not be a secret/],
    ['a program with a secret in it', () => args`./${secret('p')} a`, /program must not be a secret/],
  ];
  for (const [what, call, message] of mistakes) {
    it(`refuses ${what}`, () => {
      expect(caught(call)).to.be.instanceOf(CommandUsageError).and.not.instanceOf(MigrationError);
      expect(caught(call).message).to.match(message);
    });
  }

  it('brings any text to a program as it is: alone, joined, quoted and in arrays', function () {
    this.timeout(120_000);
    const { $ } = createScript(RealCommand);
    const show = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))';
    const nasty = fc.string({ unit: fc.constantFrom(...Array.from(`ab \t\n'"\\$\`*?[]{}~#!&|;<>()=-%^,:/ü€😀`)) });
    const text = fc.oneof(nasty, fc.string({ unit: 'grapheme' })).filter((value) => !value.includes('\0'));
    fc.assert(
      fc.property(text, text, fc.array(text, { maxLength: 4 }), (one, two, many) => {
        const { stdout } = $.sync`${process.execPath} -e ${show} -- ${one} a${one}"b ${two}"'${one}' ${many} ${two}`;
        expect(JSON.parse(stdout)).to.deep.equal([one, `a${one}b ${two}${one}`, ...many, two]);
      }),
      { numRuns: Number(process.env.VIRCOMMAND_TEMPLATE_ROUNDS ?? 25) },
    );
  });
});

function caught(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}
