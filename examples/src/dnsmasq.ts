/**
 * A name server for a test network, kept as libvirt keeps that of a virtual network: dnsmasq as a daemon, with a pid file,
 * as a user without capabilities and within limits. It is asked by a real client, and stopped through its pid file.
 *
 *     node dist/dnsmasq.js          as root
 */
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Command, CommandError } from '@vircommand/posix';
import { buildPath, forceCleanupPath, readPathIfAlive } from '@vircommand/posix/pidfile';

const dnsmasq = '/usr/sbin/dnsmasq';
const nobody = 65534;
/** For the server to answer its first question, in milliseconds. */
const patience = 10_000;

/** A port of loopback that is free now. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

function server(port: number, pidFile: string, log: string): Command {
  const zone = ['--no-resolv', '--no-hosts', '--address=/router.test/192.0.2.1'];
  const place = ['--listen-address=127.0.0.1', '--bind-interfaces', `--port=${port}`];
  return (
    new Command(dnsmasq, [], { stderr: { file: log } })
      // The daemon is made here, and its pid file too.
      .addArgs(['--keep-in-foreground', '--pid-file=', '--conf-file=/dev/null', '--log-facility=-'])
      .addArgs([...place, ...zone])
      .daemonize()
      .setPidFile(pidFile)
      .setUid(nobody)
      .setGid(nobody)
      .clearCaps()
      .setNoNewPrivs()
      .setUmask(0o77)
      .setMaxFiles(64)
      .setMaxCoreSize(0)
  );
}

/** Asks until there is an answer. */
async function ask(port: number, name: string): Promise<string> {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  const end = Date.now() + patience;
  for (;;) {
    try {
      return (await resolver.resolve4(name)).join(' ');
    } catch (error) {
      if (Date.now() > end) throw error;
      await delay(20);
    }
  }
}

/** What the kernel says of a process. */
function seen(pid: number): string {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const fields = ['Uid', 'CapEff', 'CapBnd', 'NoNewPrivs'].map((name) => {
    const [value = ''] = new RegExp(`(?<=^${name}:\\s*)\\S+`, 'm').exec(status) ?? [];
    return `${name} ${value}`;
  });
  const [files = ''] = /(?<=^Max open files\s+)\d+/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1')) ?? [];
  return [...fields, `files ${files}`].join(', ');
}

async function main(): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), 'dnsmasq-'));
  const pidFile = buildPath(directory, 'dnsmasq');
  const log = path.join(directory, 'log');
  // It closes all descriptors that it inherits, and so unlocks its pid file: which program it is tells that it still runs.
  const executable = dnsmasq;
  try {
    const port = await freePort();
    const { pid = 0 } = await server(port, pidFile, log).run();
    console.log(`started   pid ${pid}, port ${port}`);
    try {
      console.log(`answer    router.test ${await ask(port, 'router.test')}`);
      console.log(`running   ${readPathIfAlive(pidFile, { executable }) === pid ? 'yes' : 'no'}: ${seen(pid)}`);
    } catch (error) {
      console.error(readFileSync(log, 'utf8'));
      throw error;
    } finally {
      const { signal = 'itself', removed } = await forceCleanupPath(pidFile, { executable, killDelay: 2000 });
      console.log(`stopped   by ${signal}; the pid file is ${removed ? 'removed' : 'left'}`);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof CommandError ? error.message : error);
  process.exitCode = 1;
});
