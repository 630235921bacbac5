/**
 * Looks until it sees what is good, or often enough; what it saw last. The looks are counted, and the event loop turns
 * between them: on a busy machine they take longer, and are as many.
 *
 * @param looks - At most. The first ones follow each other quickly, the 21st and later ones after 20 ms.
 */
export async function settledTo<T>(look: () => T | Promise<T>, good: (seen: T) => boolean, looks: number): Promise<T> {
  for (let before = 0; ; before++) {
    const seen = await look();
    if (good(seen) || before + 1 >= looks) return seen;
    const delay = Math.min(before, 20);
    // Our own timer is gone again when the next look is taken.
    await new Promise<void>((resolve) => (delay === 0 ? setImmediate(resolve) : setTimeout(resolve, delay)));
  }
}
