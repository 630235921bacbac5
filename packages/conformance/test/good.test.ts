/** The suite as a third party uses it, in mocha: a backend that keeps every promise passes. */
import { conformance } from '../src';
import { goodBackend } from './backends/good';

conformance({ name: 'good', create: goodBackend });
