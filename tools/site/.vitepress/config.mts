import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { defineConfig, type DefaultTheme } from 'vitepress';
import { directories, groups, repository } from '../src/pages.ts';

const site = path.resolve(import.meta.dirname, '..');
const pages = path.join(site, 'pages');

/** A page is called what its first heading says. */
function titleOf(page: string): string {
  const heading = /^# (.*)$/m.exec(readFileSync(path.join(pages, `${page}.md`), 'utf8'));
  return (heading?.[1] ?? page).replaceAll('`', '');
}
const item = (page: string): DefaultTheme.SidebarItem => ({
  text: page === 'index' ? 'What it is' : titleOf(page),
  link: `/${page.replace(/(^|\/)index$/, '$1')}`,
});

const decisions = directories['docs/decisions'] ?? '';
const sidebar: DefaultTheme.SidebarItem[] = [
  ...groups.map(({ text, pages: all }) => ({
    text,
    items: all.filter((page) => existsSync(path.join(pages, `${page.path}.md`))).map((page) => item(page.path)),
  })),
  {
    text: 'API',
    link: '/api/',
    items: readdirSync(path.join(pages, 'api'))
      .filter((name) => name !== 'index.md')
      .map((name) => item(`api/${path.basename(name, '.md')}`)),
  },
  {
    text: 'Decisions',
    collapsed: true,
    items: readdirSync(path.join(pages, decisions))
      .map((name) => `${decisions}/${path.basename(name, '.md')}`)
      .sort((a, b) => Number(b.endsWith('/index')) - Number(a.endsWith('/index')))
      .map(item),
  },
];

/** As GitHub does it, so that a link to a heading holds in both places. */
const slugify = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

export default defineConfig({
  title: 'vircommand',
  description: 'Starting other programs from Node.js, done right',
  lang: 'en',
  base: process.env.SITE_BASE ?? '/',
  srcDir: 'pages',
  outDir: 'dist',
  cacheDir: 'cache',
  cleanUrls: true,
  vite: { build: { chunkSizeWarningLimit: 2000 } },
  // No empty request for an icon that is not there.
  head: [['link', { rel: 'icon', href: 'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg"/>' }]],
  markdown: {
    anchor: { slugify },
    toc: { slugify },
    headers: { slugify },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    languageAlias: { 'ts run': 'ts', 'text output': 'text' },
  },
  themeConfig: {
    nav: [
      { text: 'Quick start', link: '/quick-start' },
      { text: 'API', link: '/api/' },
      { text: 'Changelog', link: '/project/changelog' },
    ],
    sidebar,
    outline: { level: [2, 3] },
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: repository }],
  },
});
