export * from '@vircommand/mock';
