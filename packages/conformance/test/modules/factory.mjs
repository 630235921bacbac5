// An ES module, a factory by default.
import { backend } from './backend.js';

export default async function create() {
  return { ...backend, name: 'made' };
}
