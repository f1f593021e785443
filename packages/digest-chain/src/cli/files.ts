import type { NamingFiles } from '../files/named-in-files.ts';
import { isRole } from '../label-names.ts';
import type { Repository } from '../registry/registry.ts';
import type { VerifyOptions } from '../verify.ts';
import { parseRepository, parseRole, usage, type Values } from './arguments.ts';

/** The options of the verbs that prove: which files have to name what an image embeds, and how else they may. */
export const FILES = {
  files: { type: 'string', multiple: true },
  released: { type: 'string', multiple: true },
} as const;

/** Reads {@link FILES}; throws `USAGE`. */
export function readFileDemands({ files, released }: Values<typeof FILES>): Pick<VerifyOptions, 'files' | 'released'> {
  return { files: parseFiles(files), released: parsePlaces('--released', released) };
}

/** Reads `--at <role>=<repository>`, and options like it. */
export function parsePlaces(option: string, texts: readonly string[] = []): ReadonlyMap<string, Repository> {
  const places = new Map<string, Repository>();
  for (const text of texts) {
    const { role, named } = parseRole(`${option} is not <role>=<repository>`, text);
    if (places.has(role)) throw usage(`${option} is given twice for ${role}`);
    places.set(role, parseRepository(option, named));
  }
  return places;
}

/** Reads `--files <role>=<pattern>` and `<role>/<embedded>=<pattern>`; several of the same are patterns of the same files. */
function parseFiles(texts: readonly string[] = []): readonly NamingFiles[] {
  const read = texts.map((text) => {
    const [, role = '', embedded, pattern = ''] = /^([^=/]*)(?:\/([^=/]*))?=(.*)$/su.exec(text) ?? [];
    if (isRole(role) && (embedded === undefined || isRole(embedded)) && pattern !== '')
      return { role, embedded, pattern };
    throw usage(`--files is not <role>=<pattern> or <role>/<embedded>=<pattern>: ${text}`);
  });
  return [...Map.groupBy(read, ({ role, embedded = '' }) => `${role}/${embedded}`).values()].flatMap((all) => {
    const [first] = all;
    if (first === undefined) return [];
    const { role, embedded } = first;
    return { role, embeds: embedded === undefined ? undefined : [embedded], in: all.map(({ pattern }) => pattern) };
  });
}
