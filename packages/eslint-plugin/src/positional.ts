/** A shell script that is put together from values, written as one that takes them as "$1", "$2" and so on. */
import type { TSESTree } from './rule';

export interface Positional {
  readonly script: string;
  readonly values: readonly TSESTree.Expression[];
}

/** What makes quotes mean something else, and positional parameters that are there already. */
const beyond = /`|\$[({'"\d@*#]|<<|(?:^|\s)#/;

/** `undefined` if the script has something that makes it unclear what the quotes around a value mean. */
export function positional({ quasis, expressions }: TSESTree.TemplateLiteral): Positional | undefined {
  let script = '';
  let quote: '"' | "'" | undefined;
  for (const [i, quasi] of quasis.entries()) {
    const text = quasi.value.cooked;
    if (text === null || beyond.test(text)) return undefined;
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
    const name = i < 9 ? `$${String(i + 1)}` : `\${${String(i + 1)}}`;
    if (quote === undefined) script += `"${name}"`;
    else script += quote === '"' ? name : `'"${name}"'`;
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
