import { expect } from 'chai';
import fc from 'fast-check';
import { createMock, match } from '@vircommand/mock';
import { failure, thrown } from './failures';

/** Whether an argument fits, as a mock sees it. */
async function fits(pattern: Parameters<typeof match.where>[0] | ReturnType<typeof match.any> | string, value: string) {
  const mock = createMock();
  mock.on('p', [typeof pattern === 'function' ? match.where(pattern) : pattern]).reply({});
  return new mock.Command('p', [value]).run().then(
    () => true,
    () => false,
  );
}

describe('match', () => {
  const table: readonly (readonly [string, Parameters<typeof fits>[0], readonly string[], readonly string[]])[] = [
    ['a string is itself', 'a*', ['a*'], ['a', 'ab', 'a*b', 'A*', '']],
    ['any() is any one value', match.any(), ['', 'a', 'a\nb'], []],
    ['prefix()', match.prefix('--x='), ['--x=', '--x=1\n2'], ['--x', ' --x=', '-x=']],
    ['glob(): * is anything, also slashes and newlines', match.glob('a*z'), ['az', 'a/b/z', 'a\nz'], ['aza', 'xaz']],
    ['glob(): ? is one character, of any plane', match.glob('?'), ['a', '😀', '\n'], ['', 'ab']],
    ['glob(): [set] and [!set]', match.glob('[a-c][!x]'), ['ab', 'cy'], ['db', 'ax', 'a', 'abc']],
    ['glob(): ] as the first of a set', match.glob('[]a]'), [']', 'a'], ['b', '[]a]']],
    ['glob(): a [ without ] is itself', match.glob('[ab'), ['[ab'], ['a']],
    ['glob(): other characters are themselves', match.glob('a.b(c)^$|+{}\\'), ['a.b(c)^$|+{}\\'], ['axb(c)^$|+{}\\']],
    ['regex() is over the whole argument', match.regex(/a|bc/), ['a', 'bc'], ['abc', 'ac', 'a\n']],
    ['regex() keeps its flags', match.regex(/a.b/is), ['A\nB'], ['A\nBx']],
    ['where() is a function', (value) => value.length === 3, ['abc'], ['ab']],
  ];
  for (const [title, pattern, good, bad] of table) {
    it(title, async () => {
      for (const value of good) expect(await fits(pattern, value), `'${value}' fits`).to.equal(true);
      for (const value of bad) expect(await fits(pattern, value), `'${value}' does not fit`).to.equal(false);
    });
  }

  it('regex() with g or y remembers nothing from call to call', async () => {
    const mock = createMock();
    mock
      .on('p', [match.regex(/a+/gy)])
      .reply({})
      .times(3);
    for (let i = 0; i < 3; i++) await new mock.Command('p', ['aaa']).run();
    mock.expectDone();
  });

  it('glob() of a text without special characters is that text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[^*?[\0]*$/), fc.stringMatching(/^[^\0]*$/), async (text, other) => {
        fc.pre(text.isWellFormed() && other.isWellFormed());
        expect(await fits(match.glob(text), text)).to.equal(true);
        expect(await fits(match.glob(text), other)).to.equal(text === other);
      }),
      { numRuns: 50 },
    );
  });

  it('rest() takes what is left, none included, and only at the end', async () => {
    const mock = createMock();
    mock.on('p', ['a', match.rest()]).reply({}).always();
    for (const args of [['a'], ['a', 'b'], ['a', '', 'c']]) await new mock.Command('p', args).run();
    await failure(new mock.Command('p', ['b']).run());
    await failure(new mock.Command('p', []).run());
    expect(thrown(() => mock.on('p', [match.rest(), 'a'])).message).to.contain('rest() must be the last argument');
    expect(thrown(() => mock.on(match.rest())).code).to.equal('ERR_MOCK_USAGE');
  });

  it('the program may be a matcher, and arguments need not be said', async () => {
    const mock = createMock();
    mock.on(match.glob('/usr/*/tool')).reply({ stdout: 'x' }).always();
    for (const program of ['/usr/bin/tool', '/usr/local/bin/tool']) {
      expect((await new mock.Command(program, ['any'], { stdout: 'text' }).run()).stdout).to.equal('x');
    }
    await failure(new mock.Command('tool').run());
  });

  it('what is no pattern is refused where it is written', () => {
    const mock = createMock();
    for (const wrong of [5, null, /x/, undefined]) {
      expect(thrown(() => mock.on('p', [wrong as never])).message, String(wrong)).to.contain('argument 1 must be');
    }
    expect(thrown(() => mock.on(/x/ as never)).message).to.contain('the program must be a string or a matcher');
    expect(thrown(() => mock.on('p', { argz: [] } as never)).message).to.contain("there is no 'argz'");
    expect(thrown(() => mock.on('p', { cwd: 5 } as never)).message).to.contain('cwd must be');
    expect(thrown(() => mock.on('p', { env: { A: 1 } } as never)).message).to.contain('env A must be');
  });
});
