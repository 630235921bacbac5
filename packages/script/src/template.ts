/**
 * The words of a template, by the simplest rules of shells: blanks separate, quotes and backslashes take the meaning from
 * what they hold, and nothing is expanded. What a shell would expand, connect or redirect is refused.
 */
import { CommandUsageError, type Arg } from '@vircommand/core';
import { MigrationError } from './migration-error';
import { BUILTINS, SYNTAX } from './shell-syntax';
import { argumentOf } from './value';

/** What makes up one argument: text of the template and interpolated values, in their order. */
export type Word = readonly Arg[];

/** As in a shell: other blanks of Unicode are parts of names. */
const BLANK = /[ \t\r\n]/;
/** What JavaScript has for characters, behind a backslash. */
const CHARACTER_ESCAPE = /[0bfnrtuvx]/;
const needsShell = 'means something to a shell only, and there is none';

/** Reads a template from its beginning to its end. */
class Reader {
  readonly words: Arg[][] = [];
  private word: Arg[] | undefined;
  private quote: '"' | "'" | undefined;
  /** A line ended behind a word: nothing may follow. */
  private lineEnded = false;

  text(raw: string): void {
    for (let at = 0; at < raw.length;) at = this.read(raw, at);
  }

  /** Takes what begins at a place; the place behind it. */
  private read(raw: string, at: number): number {
    const char = raw.charAt(at);
    if (this.quote === "'") {
      if (char === "'") this.quote = undefined;
      else this.add(char);
      return at + 1;
    }
    if (char === '\\') return this.escape(raw, at);
    if (this.quote === '"' && char === '"') {
      this.quote = undefined;
      return at + 1;
    }
    this.refuseSyntax(raw, at);
    if (this.quote === undefined) {
      if (BLANK.test(char)) {
        this.blank(char);
        return at + 1;
      }
      if (char === '"' || char === "'") {
        this.begin();
        this.quote = char;
        return at + 1;
      }
    }
    this.add(char);
    return at + 1;
  }

  private escape(raw: string, at: number): number {
    const next = raw.charAt(at + 1);
    if (next === '\n') return at + 2;
    if (this.quote === undefined && CHARACTER_ESCAPE.test(next)) {
      const alternative = `interpolate the character, as in \${'\\t'}; in quotes the backslash stays, for a program that reads it`;
      throw new MigrationError('$', `'\\${next}' (an escape)`, `is '${next}' to a shell`, alternative);
    }
    if (this.quote === '"' && !'"\\$`'.includes(next)) {
      this.add('\\');
      return at + 1;
    }
    this.add(next === '' ? '\\' : next);
    return at + 2;
  }

  private refuseSyntax(raw: string, at: number): void {
    for (const { pattern, at: place, quoted, name, alternative } of SYNTAX) {
      if (this.quote === '"' && quoted !== true) continue;
      if (place !== undefined && this.word !== undefined) continue;
      if (place === 'command' && this.words.length > 0) continue;
      pattern.lastIndex = at;
      const found = pattern.exec(raw)?.[0];
      if (found !== undefined) throw new MigrationError('$', `'${found}' (${name})`, needsShell, alternative);
    }
  }

  private blank(char: string): void {
    this.endWord();
    if (char === '\n' && this.words.length > 0) this.lineEnded = true;
  }

  private begin(): Arg[] {
    if (this.lineEnded) {
      const alternative = 'a template for each command, or a backslash at the end of the line if it goes on';
      throw new MigrationError('$', 'a line break (between words)', needsShell, alternative);
    }
    return (this.word ??= []);
  }

  private add(part: Arg): void {
    const word = this.begin();
    const last = word.at(-1);
    if (typeof part === 'string' && typeof last === 'string') word[word.length - 1] = last + part;
    else word.push(part);
  }

  private endWord(): void {
    if (this.word !== undefined) this.words.push(this.word);
    this.word = undefined;
  }

  /** @param alone - Nothing but a blank, or the end, follows. */
  value(value: unknown, alone: boolean): void {
    if (!Array.isArray(value)) {
      this.add(argumentOf(value));
      return;
    }
    if (this.word !== undefined || !alone) {
      const reason = 'an array is several arguments, so blanks must be around it; join() makes it one';
      throw new CommandUsageError('$', reason, { command: '' });
    }
    for (const item of value as unknown[]) {
      this.add(argumentOf(item));
      this.endWord();
    }
  }

  end(): readonly Word[] {
    this.endWord();
    if (this.quote !== undefined) {
      throw new CommandUsageError('$', `the template ends inside ${this.quote} quotes`, { command: '' });
    }
    return this.words;
  }
}

/**
 * The words of a tagged template.
 *
 * @throws MigrationError for shell syntax; CommandUsageError for a template or a value that makes no command.
 */
export function wordsOf({ raw }: TemplateStringsArray, values: readonly unknown[]): readonly Word[] {
  const reader = new Reader();
  for (const [index, text] of raw.entries()) {
    reader.text(text);
    if (index >= values.length) continue;
    const next = raw[index + 1] ?? '';
    reader.value(values[index], BLANK.test(next.charAt(0)) || (next === '' && index === raw.length - 2));
  }
  const words = reader.end();
  const [first] = words;
  if (first === undefined) throw new CommandUsageError('$', 'the template holds no program', { command: '' });
  const builtin = first.length === 1 && typeof first[0] === 'string' ? first[0] : '';
  const alternative = Object.hasOwn(BUILTINS, builtin) ? BUILTINS[builtin] : undefined;
  if (alternative !== undefined) throw new MigrationError('$', `'${builtin}' (a builtin)`, needsShell, alternative);
  return words;
}
