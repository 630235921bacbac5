/** A shell script that is put together from values, written as one that takes them as "$1", "$2" and so on. */
import type { TSESTree } from './rule';

export interface Positional {
  readonly script: string;
  readonly values: readonly TSESTree.Expression[];
}

/** What makes quotes mean something else, and positional parameters that are there already. */
const beyond = /`|\$[({'"\d@*#]|<<|(?:^|\s)#/;

/**
 * What has a text read as a script once more, so that a value in it stays code, and what changes the positional
 * parameters. Rather too much: without a suggestion, the report is there all the same.
 */
const again =
  /(?<![\w.-])(?:(?:a|ba|da|fi|k|mk|z)?sh|awk|eval|function|perl|python\d?|sed|set|shift|source|ssh|su|trap)(?![\w.-])|\(\s*\)|(?<!\S)-[a-zA-Z]*c(?!\S)/;

/** `undefined` if the script has something that makes it unclear what a value means, or if the value is between quotes. */
export function positional({ quasis, expressions }: TSESTree.TemplateLiteral): Positional | undefined {
  let script = '';
  let quote: '"' | "'" | undefined;
  for (const [i, quasi] of quasis.entries()) {
    const text = quasi.value.cooked;
    if (text === null || beyond.test(text) || again.test(text)) return undefined;
    for (let at = 0; at < text.length; at += 1) {
      const character = text[at];
      if (character === '\\' && quote !== "'") {
        at += 1;
        // What follows would be escaped, and that is the value.
        if (at === text.length) return undefined;
      } else if (character === quote) quote = undefined;
      else if (quote === undefined && (character === '"' || character === "'")) quote = character;
    }
    script += text;
    if (i === expressions.length) break;
    // What the quotes hold may be for another program to read.
    if (quote !== undefined) return undefined;
    script += i < 9 ? `"$${String(i + 1)}"` : `"\${${String(i + 1)}}"`;
  }
  return quote === undefined ? { script, values: expressions } : undefined;
}

/** A text as a string literal of JavaScript. */
export function literal(text: string): string {
  const escaped = text
    .replace(/[\\']/g, '\\$&')
    .replace(/\n/g, '\\n')
    .replace(/\r/g, '\\r')
    .replace(/\u2028/g, '\\u2028')
    .replace(/\u2029/g, '\\u2029');
  return `'${escaped}'`;
}
