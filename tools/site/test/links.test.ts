import { expect } from 'chai';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import { dist, fileOf } from '../src/serve';

interface Built {
  readonly targets: readonly string[];
  readonly ids: ReadonlySet<string>;
}

const unescaped = (text: string): string =>
  text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&amp;', '&');

function read(file: string): Built {
  const html = readFileSync(path.join(dist, file), 'utf8');
  const all = (attribute: string): string[] =>
    Array.from(html.matchAll(new RegExp(`<[a-z][^>]* ${attribute}="([^"]*)"`, 'g')), ([, value = '']) =>
      unescaped(value),
    );
  return { targets: [...all('href'), ...all('src')], ids: new Set(all('id')) };
}

describe('the links of the site', () => {
  const pages = new Map(
    readdirSync(dist, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.html'))
      .map((name) => [`/${name}`, read(name)]),
  );

  it('are on more than fifty pages', () => {
    expect(pages.size).to.be.above(50);
  });

  for (const [page, { targets }] of pages) {
    it(`lead somewhere: ${page}`, () => {
      const wrong = targets.filter((target) => {
        if (/^(?:[a-z]+:|\/\/)/.test(target)) return false;
        const { pathname, hash } = new URL(target, `http://site${page}`);
        const file = fileOf(pathname);
        const there = pages.get(file);
        if (there === undefined) return !existsSync(path.join(dist, file));
        return hash !== '' && !there.ids.has(decodeURIComponent(hash.slice(1)));
      });
      expect(wrong).to.deep.equal([]);
    });
  }
});
