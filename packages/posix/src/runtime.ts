/** What runs this: the backend is for Node, and other runtimes only look like it. */

const { bun, deno } = process.versions;

/** Their sockets over pipes lose output or hang; `undefined`: it is Node. */
export const otherRuntime: string | undefined = bun !== undefined ? 'Bun' : deno !== undefined ? 'Deno' : undefined;

/** Whether a fresh process of this executable is Node, and not the application that is in it. */
export function startsAsNode(): boolean {
  const sea = process.getBuiltinModule('node:sea') as { isSea(): boolean } | undefined;
  return sea?.isSea() !== true;
}
