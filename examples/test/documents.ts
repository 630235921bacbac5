/** The project's documents: their blocks of code, their headings and their links. */
import { readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';

export const root = path.resolve(__dirname, '..', '..');

/** A fenced block. */
export interface Block {
  /** `README.md:12`: where its code begins. */
  readonly where: string;
  /** What follows the fence: `ts`, `ts run`, `text output` … */
  readonly info: string;
  readonly code: string;
}

export interface Document {
  /** Relative to the root. */
  readonly file: string;
  readonly blocks: readonly Block[];
  /** Everything but the blocks. */
  readonly prose: string;
}

/** Not written by hand, or not ours. */
const skipped = new Set(['node_modules', 'dist', 'pages', 'cache', 'coverage']);

function markdownBelow(directory: string): string[] {
  return readdirSync(path.join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    if (skipped.has(entry.name) || entry.name.startsWith('.')) return [];
    const file = path.join(directory, entry.name);
    if (entry.isDirectory()) return markdownBelow(file);
    return entry.name.endsWith('.md') ? [file] : [];
  });
}

function read(file: string): Document {
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: { info: string; line: number; code: string[] } | undefined;
  for (const [index, line] of readFileSync(path.join(root, file), 'utf8').split('\n').entries()) {
    const fence = /^ {0,3}```(.*)$/.exec(line);
    if (fence === null) (open?.code ?? prose).push(line);
    else if (open === undefined) open = { info: (fence[1] ?? '').trim(), line: index + 2, code: [] };
    else {
      blocks.push({ where: `${file}:${open.line}`, info: open.info, code: `${open.code.join('\n')}\n` });
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`${file}:${open.line}: the block is not closed`);
  return { file, blocks, prose: prose.join('\n') };
}

/** All that the repository has, except hidden directories. */
export const documents = (): Document[] => markdownBelow('.').map(read);

/** The anchors that GitHub makes of the headings. */
export function anchors({ prose }: Document): string[] {
  return Array.from(prose.matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

/** Targets of links, code spans left out. */
export const links = ({ prose }: Document): string[] =>
  Array.from(prose.replace(/`[^`\n]*`/g, '').matchAll(/\]\(<?([^)>\s]+)>?\)/g), ([, target = '']) => target);

/** `…` in the documents stands for what is different on every machine. */
export const asPattern = (expected: string): RegExp =>
  new RegExp(`^${expected.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '[^\\n]*')}$`);
