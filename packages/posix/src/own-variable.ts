/** A variable of this process's environment; `process.env` inherits, and what a polluted prototype holds is none. */
export function ownVariable(name: string): string | undefined {
  const { env } = process;
  return Object.hasOwn(env, name) ? env[name] : undefined;
}
