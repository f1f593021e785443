import { TektonLocalError } from '../errors.ts';
import { isMap } from '../plan/yaml/field.ts';
import shapes from './webhook-shapes.json' with { type: 'json' };

const SHAPES: Readonly<Record<string, Readonly<Record<string, string>>>> = shapes;

/**
 * What Pipelines as Code has as `body`: it reads a webhook into types of its own, and writes those. Fields that they don't
 * have are gone, GitHub's are left out where they are null or empty, and GitLab's are all there.
 *
 * @param event The name of a webhook's event, as its header has it.
 * @throws TektonLocalError `INVALID` for a body that is not of that event.
 */
export function keptBody(
  event: string,
  body: Readonly<Record<string, unknown>>,
  file: string,
): Record<string, unknown> {
  const keep = (value: unknown, type: string, path: string): unknown => {
    const wrong = (): TektonLocalError =>
      new TektonLocalError('INVALID', `${file}: ${path} is no ${type}, as the event ${event} has it`);
    if (type.startsWith('*')) return isNothing(value) ? null : keep(value, type.slice(1), path);
    if (type.startsWith('[]') || type.startsWith('map ')) {
      if (isNothing(value)) return null;
      const item = type.replace(/^\[\]|^map /, '');
      if (type.startsWith('[]')) {
        if (!Array.isArray(value)) throw wrong();
        return value.map((each, index) => keep(each, item, `${path}[${index}]`));
      }
      if (!isMap(value)) throw wrong();
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, keep(each, item, `${path}.${key}`)]));
    }
    if (type === 'any') return value ?? null;
    if (type === 'github.Timestamp' || type === 'time.Time') return timeOf(value) ?? fail(wrong());
    const zero = ZEROS[type];
    if (zero !== undefined) {
      if (isNothing(value)) return zero;
      if (type === 'bool' && /^(?:1|t|true)$/i.test(String(value))) return true;
      if (type === 'bool' && /^(?:0|f|false)$/i.test(String(value))) return false;
      return typeof value === typeof zero ? value : fail(wrong());
    }
    const shape = SHAPES[type];
    if (shape === undefined || !(isNothing(value) || isMap(value))) throw wrong();
    const kept: Record<string, unknown> = {};
    for (const [name, described] of Object.entries(shape)) {
      const [of = '', ...options] = described.split(',');
      const field = isMap(value) && Object.hasOwn(value, name) ? value[name] : undefined;
      const written = keep(field, of, path === '' ? name : `${path}.${name}`);
      if (!options.includes('omitempty') || !isEmpty(written, of)) kept[name] = written;
    }
    return kept;
  };
  return keep(body, event, '') as Record<string, unknown>;
}

const ZEROS: Readonly<Record<string, string | number | boolean>> = { string: '', number: 0, bool: false };

const isNothing = (value: unknown): boolean => value === undefined || value === null;

/** What Go leaves out: of a pointer only that there is nothing. */
function isEmpty(value: unknown, type: string): boolean {
  if (type.startsWith('*')) return value === null;
  if (Array.isArray(value)) return value.length === 0;
  if (type.startsWith('map ') && isMap(value)) return Object.keys(value).length === 0;
  return value === null || value === '' || value === 0 || value === false;
}

/** RFC 3339 as Go writes it; undefined where it is no time. */
function timeOf(value: unknown): string | undefined {
  if (isNothing(value)) return '0001-01-01T00:00:00Z';
  if (typeof value === 'number') return timeOf(new Date(value > 32_503_680_000 ? value : value * 1000).toISOString());
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(value))
    return undefined;
  return value
    .replace(/\.(\d*?)0*(?=Z|[+-])/, (_whole, digits: string) => (digits === '' ? '' : `.${digits}`))
    .replace(/\+00:00$/, 'Z');
}

function fail(error: TektonLocalError): never {
  throw error;
}
