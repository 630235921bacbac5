/** The words of a template of `$`, read as `@vircommand/script` reads them. */
import { constantText } from './names';
import type { Source, TSESTree } from './rule';

/** What makes up one argument: characters of the template and interpolated values, in their order. */
export type Word = readonly (string | TSESTree.Expression)[];

const blank = /[ \t\r\n]/;

/** What it refuses is of no interest here. */
export function wordsOf({ quasis, expressions }: TSESTree.TemplateLiteral): Word[] {
  const words: (string | TSESTree.Expression)[][] = [];
  let word: (typeof words)[number] | undefined;
  let quote: string | undefined;
  const begin = (): (typeof words)[number] => {
    if (word === undefined) words.push((word = []));
    return word;
  };
  for (const [index, quasi] of quasis.entries()) {
    const { raw } = quasi.value;
    for (let at = 0; at < raw.length; at += 1) {
      const character = raw.charAt(at);
      const next = raw.charAt(at + 1);
      if (character === '\\' && quote !== "'" && next !== '' && (quote === undefined || '"\\$`\n'.includes(next))) {
        at += 1;
        if (next !== '\n') begin().push(next);
      } else if (character === quote) quote = undefined;
      else if (quote !== undefined) begin().push(character);
      else if (blank.test(character)) word = undefined;
      else if (character === '"' || character === "'") {
        begin();
        quote = character;
      } else begin().push(character);
    }
    const value = expressions[index];
    if (value !== undefined) begin().push(value);
  }
  return words;
}

/** The value that is a whole word. */
export function valueOf([first, ...more]: Word): TSESTree.Expression | undefined {
  return typeof first === 'string' || more.length > 0 ? undefined : first;
}

/** The text of a word before its first value. */
export function textBefore(word: Word): string {
  let text = '';
  for (const part of word) {
    if (typeof part !== 'string') break;
    text += part;
  }
  return text;
}

/** The text of a word that is the same in every run. */
export function textOf(word: Word, source: Source): string | undefined {
  const texts = word.map((part) => (typeof part === 'string' ? part : constantText(part, source)));
  return texts.includes(undefined) ? undefined : texts.join('');
}
