/**
 * Marks one text of each kind that a page shows: of one colour, size and weight before one background. Runs in the page. What
 * is computed of a kind holds for all of it, and some pages have ten thousand texts of thirty kinds.
 *
 * @returns how many kinds there are
 */
export function markKinds(): number {
  const behind = new Map<Element | null, string>([[null, '']]);
  /** The background of an element, and how much shines through. */
  const ground = (element: Element | null): string => {
    const known = behind.get(element);
    if (known !== undefined || element === null) return known ?? '';
    const { backgroundColor, opacity } = getComputedStyle(element);
    const covers = backgroundColor.startsWith('rgb(') && opacity === '1';
    const made = covers ? backgroundColor : `${backgroundColor} ${opacity} ${ground(element.parentElement)}`;
    behind.set(element, made);
    return made;
  };
  const kinds = new Set<string>();
  for (const element of document.querySelectorAll('body *')) {
    element.removeAttribute('data-kind');
    const says = Array.from(element.childNodes).some(
      ({ nodeType, nodeValue }) => nodeType === 3 && nodeValue?.trim() !== '',
    );
    if (!says || !element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(element);
    const kind = [color, fontSize, fontWeight, ground(element)].join(' ');
    if (kinds.has(kind)) continue;
    kinds.add(kind);
    element.setAttribute('data-kind', '');
  }
  return kinds.size;
}
