const UNIT: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ns: 1e-6,
};

/** Milliseconds of whatever Go takes for a duration (time.ParseDuration), also less than 0; undefined if it is none. */
export function parseGoDuration(text: string): number | undefined {
  const [, sign, rest = ''] = /^([-+]?)(.*)$/s.exec(text) ?? [];
  if (rest === '0') return 0;
  if (!/^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return undefined;
  let total = 0;
  for (const [, amount, unit] of rest.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|h|m|s)/g)) {
    total += Number(amount) * (UNIT[unit ?? ''] ?? 0);
  }
  // Go counts nanoseconds in 63 bits.
  if (total > 9_223_372_036_854) return undefined;
  return sign === '-' ? -total : total;
}

/** Milliseconds of a Go duration such as `1h30m0s`, `90s` or `500ms`, from 0; undefined if it is none. */
export function parseDuration(text: string): number | undefined {
  return /^\d/.test(text) ? parseGoDuration(text) : undefined;
}

/** A Go duration as Tekton prints it, of milliseconds: `1m30s`, `2.5s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 60_000) return `${Number((milliseconds / 1000).toFixed(1))}s`;
  const seconds = Math.round(milliseconds / 1000);
  const hours = Math.floor(seconds / 3600);
  return `${hours > 0 ? `${hours}h` : ''}${Math.floor((seconds % 3600) / 60)}m${seconds % 60}s`;
}

/** Milliseconds that something took, for people: `12 ms`, `6.2 s`, `12 min 5 s`. */
export function formatSpan(milliseconds: number): string {
  const whole = Math.round(milliseconds / 1000);
  if (whole >= 60) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return milliseconds > 0 && milliseconds < 100
    ? `${Math.round(milliseconds)} ms`
    : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** A limit in milliseconds as people say it, in the unit that it was given in: `90 seconds`, `15 minutes`, `4 hours`. */
export function formatLimit(milliseconds: number): string {
  const [size, unit] =
    milliseconds % 3_600_000 === 0
      ? [3_600_000, 'hour']
      : milliseconds % 60_000 === 0
        ? [60_000, 'minute']
        : [1000, 'second'];
  const count = milliseconds / size;
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
