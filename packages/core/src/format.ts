/** `addArgFormat()` and `addEnvFormat()`: `%s %d %x %%`, and nothing else of printf. */
import { Unsendable, joinValues, toValue, type Value } from './bytes';
import { describe } from './plain';

/** Formats; never throws. Text that holds a secret is a secret as a whole. */
export function formatValue(format: unknown, values: readonly unknown[]): Value | Unsendable {
  if (typeof format !== 'string') return new Unsendable(`format must be a string, not ${describe(format)}`);
  const parts: (string | Value)[] = [];
  let used = 0;
  for (const piece of format.split(/(%.?)/s)) {
    if (!piece.startsWith('%')) {
      parts.push(piece);
    } else if (piece === '%%') {
      parts.push('%');
    } else {
      const part = conversion(piece, values, used++);
      if (part instanceof Unsendable) return part;
      parts.push(part);
    }
  }
  if (used !== values.length) return new Unsendable(`format '${format}' takes ${used} values, not ${values.length}`);
  const literal = toValue(parts.filter((part) => typeof part === 'string').join(''));
  return literal instanceof Unsendable ? literal : joinValues(parts);
}

function conversion(kind: string, values: readonly unknown[], index: number): string | Value | Unsendable {
  if (kind !== '%s' && kind !== '%d' && kind !== '%x') {
    return new Unsendable(`format has '${kind}'; only %s, %d, %x and %% are known`);
  }
  if (index >= values.length) return new Unsendable(`format has more conversions than values (${values.length})`);
  const value = values[index];
  const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
  if (kind === '%s') return typeof value === 'number' || typeof value === 'bigint' ? String(value) : toValue(value);
  if (!whole) return new Unsendable(`${kind} needs a whole number, not ${describe(value)}`);
  if (kind === '%x' && value < 0) return new Unsendable(`%x needs a number that is not negative, not ${value}`);
  return kind === '%d' ? String(value) : value.toString(16);
}
