export * from '@vircommand/posix/pidfile';
