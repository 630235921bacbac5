/** Arguments that are not UTF-8. Node decodes them to text and loses bytes; the kernel still has them. */
import { readFileSync } from 'node:fs';
import type { Bytes } from '@vircommand/core';

const replacement = '\ufffd';

/**
 * The last arguments of this process, byte for byte: those that are text as text, so that a backend which takes no other
 * bytes can do with them.
 */
export function rawArguments(decoded: readonly string[], file = '/proc/self/cmdline'): readonly Bytes[] {
  if (!decoded.some((text) => text.includes(replacement))) return decoded;
  let all;
  try {
    all = readFileSync(file);
  } catch {
    return decoded;
  }
  const fields: Buffer[] = [];
  for (let from = 0, to = all.indexOf(0); to >= 0; from = to + 1, to = all.indexOf(0, from))
    fields.push(all.subarray(from, to));
  const raw = fields.slice(-decoded.length);
  return decoded.map((text, index) => {
    const bytes = raw[index];
    // What does not decode to the same is something else, for instance a title that somebody set.
    return bytes?.toString() === text && !bytes.equals(Buffer.from(text)) ? bytes : text;
  });
}
