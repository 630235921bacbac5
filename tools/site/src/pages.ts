/** Which of the repository's documents are pages of the site, and where: the documents stay where they are. */

/** A document by its path in the repository, and its path on the site, without `.md`. */
export interface Page {
  readonly file: string;
  readonly path: string;
}

export interface Group {
  readonly text: string;
  readonly pages: readonly Page[];
}

const guide = (...names: string[]): Page[] => names.map((name) => ({ file: `docs/${name}.md`, path: name }));
const readmes = (...names: string[]): Page[] =>
  names.map((name) => ({ file: `packages/${name}/README.md`, path: `packages/${name}/index` }));

/** In the order of the navigation. */
export const groups: readonly Group[] = [
  { text: 'Start', pages: guide('index', 'quick-start', 'why', 'backends', 'migrate', 'from-libvirt') },
  {
    text: 'Guides',
    pages: guide('environment', 'stdio', 'endings', 'daemons', 'privileges', 'testing', 'write-a-backend'),
  },
  { text: 'When it goes wrong', pages: guide('errors', 'security', 'platforms') },
  {
    text: 'Packages',
    pages: readmes(
      'vircommand',
      'core',
      'posix',
      'child-process',
      'mock',
      'conformance',
      'script',
      'cli',
      'eslint-plugin',
    ),
  },
  {
    text: 'Project',
    pages: [
      ...guide('benchmarks'),
      { file: 'tools/bench/README.md', path: 'project/bench' },
      { file: 'CHANGELOG.md', path: 'project/changelog' },
      { file: 'CONTRIBUTING.md', path: 'project/contributing' },
      { file: 'SECURITY.md', path: 'project/reporting' },
    ],
  },
];

/** Directories whose documents are pages, too; those of the first lead the group, the others are found by links. */
export const directories: Readonly<Record<string, string>> = {
  'docs/decisions': 'decisions',
  'packages/eslint-plugin/docs/rules': 'packages/eslint-plugin/rules',
};

/** What a link to something that is no page leads to. */
export const repository = 'https://github.com/vircommand/vircommand';
