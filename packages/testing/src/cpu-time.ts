/**
 * Seconds of a processor that this thread spends on `work`: how long it takes where nothing else runs. For what must not
 * take long, on a machine that may be busy.
 */
export function cpuSeconds(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1e6;
}
