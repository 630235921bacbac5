/** Lays the documents out as VitePress wants them, below pages/: copied, and each link to where its target is on the site. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import * as path from 'node:path';
import { directories, groups, repository, type Page } from './pages';

const root = path.resolve(__dirname, '..', '..', '..');
const staged = path.resolve(__dirname, '..', 'pages');

/** Every document that is a page, by its path in the repository. README.md is the way in on GitHub, index.md here. */
function pages(): Map<string, string> {
  const listed = groups.flatMap((group) => group.pages);
  const found = Object.entries(directories).flatMap(([directory, to]) =>
    readdirSync(path.join(root, directory))
      .filter((name) => name.endsWith('.md'))
      .map((name): Page => {
        const base = name === 'README.md' ? 'index' : path.basename(name, '.md');
        return { file: `${directory}/${name}`, path: `${to}/${base}` };
      }),
  );
  const all = [...listed, ...found].filter(({ file }) => existsSync(path.join(root, file)));
  return new Map([...all.map((page): [string, string] => [page.file, page.path]), ['README.md', 'index']]);
}

/** Where a link in `page` leads, seen from its place on the site. Pictures are copied beside the page. */
function moved(target: string, page: Page, known: ReadonlyMap<string, string>): string {
  if (/^(?:[a-z]+:|#)/.test(target)) return target;
  const [to = '', anchor] = target.split('#');
  const file = path.posix.join(path.posix.dirname(page.file), to).replace(/\/$/, '');
  const fragment = anchor === undefined ? '' : `#${anchor}`;
  const there = known.get(file) ?? known.get(`${file}/README.md`);
  if (there !== undefined) return `${path.posix.relative(path.posix.dirname(page.path), there) || '.'}.md${fragment}`;
  if (file.endsWith('.svg')) {
    const copy = path.join(staged, path.dirname(page.path), to);
    mkdirSync(path.dirname(copy), { recursive: true });
    copyFileSync(path.join(root, file), copy);
    return `./${to}`;
  }
  const kind = statSync(path.join(root, file)).isDirectory() ? 'tree' : 'blob';
  return `${repository}/${kind}/main/${file}${fragment}`;
}

/** The text with its links moved; what stands in code is left alone. */
const withLinks = (text: string, page: Page, known: ReadonlyMap<string, string>): string =>
  text.replace(/^```[\s\S]*?^```$|`[^`\n]+`|\]\(([^)\s]+)\)/gm, (all: string, target: string | undefined) =>
    target === undefined ? all : `](${moved(target, page, known)})`,
  );

function stage(): void {
  rmSync(staged, { recursive: true, force: true });
  const known = pages();
  for (const [file, to] of known) {
    if (file === 'README.md') continue;
    const written = path.join(staged, `${to}.md`);
    mkdirSync(path.dirname(written), { recursive: true });
    writeFileSync(written, withLinks(readFileSync(path.join(root, file), 'utf8'), { file, path: to }, known));
  }
}

if (require.main === module) stage();
