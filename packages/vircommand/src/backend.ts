export * from '@vircommand/core/backend';
