// Preloaded by export-peak.mjs (node --require): says on exit how much memory the process held at most, in bytes. On Linux by the kernel's own
// count, since the one that Node gives begins with the memory of the parent. Says in CPU_FILE, where there is one, the seconds of the processor.
const { existsSync, readFileSync, writeFileSync } = require('node:fs');

process.on('exit', () => {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  const kilobytes = /VmHWM:\s*(\d+) kB/.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
  writeFileSync(process.env.PEAK_FILE, String(Number(kilobytes) * 1024));
  const { user, system } = process.cpuUsage();
  if (process.env.CPU_FILE) writeFileSync(process.env.CPU_FILE, String((user + system) / 1e6));
});
