/** What charts are made of: text, lines and shapes in the colours of a light or a dark page. */

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (found) => entities[found] ?? found);

/** One decimal is a tenth of a pixel. */
const number = (value: number): string => String(Math.round(value * 10) / 10);

type Attributes = Readonly<Record<string, string | number>>;

export function element(name: string, attributes: Attributes, content?: string): string {
  const list = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? number(value) : escaped(value)}"`,
  );
  return content === undefined ? `<${name}${list.join('')}/>` : `<${name}${list.join('')}>${content}</${name}>`;
}

export const text = (x: number, y: number, content: string, attributes: Attributes = {}): string =>
  element('text', { x, y, ...attributes }, escaped(content));

/** An image sees of its page only whether it is dark. */
const style = `
  svg { font: 12px ui-sans-serif, system-ui, sans-serif; }
  text { fill: #1f2328; } .dim { fill: #59636e; } .title { font-weight: 600; font-size: 13px; }
  .axis { stroke: #d1d9e0; } .one { stroke: #59636e; } .whisker { stroke: #1f2328; }
  .ours { fill: #0969da; } .peer { fill: #afb8c1; } .limit { fill: #1a7f37; }
  .ahead { fill: #1a7f37; } .behind { fill: #cf222e; } .untold { fill: #9a6700; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; } .dim { fill: #9198a1; }
    .axis { stroke: #3d444d; } .one { stroke: #9198a1; } .whisker { stroke: #f0f6fc; }
    .ours { fill: #4493f8; } .peer { fill: #656c76; } .limit { fill: #3fb950; }
    .ahead { fill: #3fb950; } .behind { fill: #f85149; } .untold { fill: #d29922; }
  }
`;

/** A whole file. The title is read aloud where the picture cannot be seen. */
export const picture = (width: number, height: number, title: string, content: readonly string[]): string => {
  const attributes = { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, role: 'img' };
  const head = [element('title', {}, escaped(title)), element('style', {}, style)];
  return `${element('svg', { ...attributes, width, height }, `\n${[...head, ...content].join('\n')}\n`)}\n`;
};

/** A width that holds the words, without knowing the font: none is wider than this on average. */
export const widthOf = (words: readonly string[]): number => 7.5 * Math.max(...words.map((word) => word.length));
