/** Paths by pattern: `*` within a directory, `**` across directories, `?` one character. */
import { relative, sep } from 'node:path';

const parts: Readonly<Record<string, string>> = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' };

function expression(pattern: string): RegExp {
  const text = pattern.replace(/\*\*\/|\*\*|[*?]|[.+^${}()|[\]\\]/g, (part) => parts[part] ?? `\\${part}`);
  return new RegExp(`^${text}$`);
}

/** Whether a file is one of those that the patterns, relative to the directory, name. */
export function matchesFile(file: string, directory: string, patterns: readonly string[]): boolean {
  const path = relative(directory, file).split(sep).join('/');
  return patterns.some((pattern) => expression(pattern).test(path));
}
