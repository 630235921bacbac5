export * from '@vircommand/posix';
