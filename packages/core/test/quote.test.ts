import { expect } from 'chai';
import * as fc from 'fast-check';
import { quoteForShell } from '@vircommand/core/backend';
import { fake } from './fake-backend';

const { Command } = fake();

describe('shell text', () => {
  const bare = 'abc-_./:=,@%+09é漢';
  it('leaves bare what needs no quotes, and quotes what virCommand quotes', () => {
    expect(quoteForShell(bare)).to.equal(bare);
    expect(quoteForShell('')).to.equal("''");
    for (const character of ' \t\r\n!"#$&\'()*;<>?[\\]^`{|}~\x01\x7f') {
      const quoted = character === "'" ? String.raw`'a'\''b'` : `'a${character}b'`;
      expect(quoteForShell(`a${character}b`)).to.equal(quoted);
    }
  });

  it('of bytes is one printf from the first to the last that is no ASCII', () => {
    expect(quoteForShell(Buffer.from("a 'b\xff%\\'\n\xfe9\n", 'latin1'))).to.equal(
      String.raw`'a '\''b'"$(printf '\377%%\134\047\012\376')"` + "'9\n'",
    );
    expect(quoteForShell(Buffer.from('é'))).to.equal('é');
  });

  /** Reads words back as a POSIX shell does, as far as quotes and backslashes go. */
  function words(text: string): string[] {
    const found: string[] = [];
    let word: string | undefined;
    for (let at = 0; at < text.length; at++) {
      const character = text[at]!;
      if (character === ' ') {
        if (word !== undefined) found.push(word);
        word = undefined;
      } else if (character === "'") {
        const end = text.indexOf("'", at + 1);
        word = (word ?? '') + text.slice(at + 1, end);
        at = end;
      } else if (character === '\\') word = (word ?? '') + text[++at]!;
      else word = (word ?? '') + character;
    }
    if (word !== undefined) found.push(word);
    return found;
  }

  it('is read back to the same words', () => {
    const text = fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0') && value.isWellFormed());
    fc.assert(
      fc.property(fc.array(text), (args) => {
        expect(words(new Command('x', args).toString())).to.deep.equal(['x', ...args]);
      }),
      { numRuns: 1000 },
    );
  });

  it('quotes a program that a shell would take for something else', () => {
    for (const name of ['if', 'done', 'time', 'a=b']) expect(String(new Command(name, ['x']))).to.equal(`'${name}' x`);
    expect(String(new Command('/bin/ls'))).to.equal('/bin/ls');
  });

  it('goes through env where a shell would not take the assignment', () => {
    expect(String(new Command('x').addEnvPair('A', '1 2'))).to.equal("A='1 2' x");
    expect(String(new Command('x').addEnvPair('A', '1').addEnvPair('a-b', '2'))).to.equal('env A=1 a-b=2 x');
    expect(String(new Command('x').addEnvPair('UID', '1'))).to.equal('env UID=1 x');
  });

  it('breaks lines as virCommand does', () => {
    const command = new Command('/usr/bin/x', ['pos', '-a', 'v1', 'v2', '--long', '-b', 'w', 'x y']).addEnvPair(
      'A',
      '1',
    );
    expect(command.toStringFull({ lineBreaks: true, stripPath: true })).to.equal(
      ['A=1', 'x', 'pos', '-a v1 v2', '--long', '-b w', "'x y'"].join(' \\\n'),
    );
  });

  it('stripPath takes the last part, also of bytes', () => {
    expect(new Command(Buffer.from('/a/\xff', 'latin1')).toStringFull({ stripPath: true })).to.equal(
      String.raw`"$(printf '\377')"`,
    );
    expect(new Command('/a/b').toStringFull({ stripPath: true })).to.equal('b');
  });
});
