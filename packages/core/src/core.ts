/** Everything, in one: what is published is made of this, so that both entry points share every class. */
export * from './index';
export * from './backend';
