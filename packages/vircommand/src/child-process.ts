export * from '@vircommand/child-process';
