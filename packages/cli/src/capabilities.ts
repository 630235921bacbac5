/** Linux's capabilities, in the order of their numbers and without `CAP_`: what completion offers and masks mean. */
export const capabilityNames: readonly string[] = (
  'chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service ' +
  'net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin ' +
  'sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override ' +
  'mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore'
).split(' ');

/** The names in a mask as `/proc/PID/status` has it; those that are newer than this list by their numbers. */
export function capabilitiesIn(mask: bigint): string[] {
  const names: string[] = [];
  for (let [rest, number] = [mask, 0]; rest > 0n; rest >>= 1n, number++) {
    if ((rest & 1n) === 1n) names.push(capabilityNames[number] ?? String(number));
  }
  return names;
}
