/** A hook in an ES module, which waits before it exports anything. */
await Promise.resolve();
export const fails = ({ why }) => {
  throw new TypeError(why);
};
export const forever = () => new Promise(() => setInterval(() => {}, 1000));
export default async function () {
  process.umask(0o31);
}
