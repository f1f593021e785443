import { isCommit } from '../../../kit/src/git-commit.ts';
import { isBundlePattern } from '../attestation/builders.ts';
import { isGitUrl } from '../attestation/git-source.ts';
import type { NamingFiles } from '../files/named-in-files.ts';
import { isRole } from '../label-names.ts';
import { type DemandValues, RUN_OPTIONS, SIGNER_OPTIONS } from '../options.ts';
import type { Repository } from '../registry/registry.ts';
import { readKeys } from '../signature/key-files.ts';
import type { VerifyOptions } from '../verify.ts';
import { parseRepository, parseRole, usage } from './arguments.ts';
import { readIdentities } from './identities.ts';

/** Which files have to name what an image embeds, and how else they may. */
const FILE_OPTIONS = {
  files: { type: 'string', multiple: true },
  released: { type: 'string', multiple: true },
} as const;

/** The options of the verbs that prove: what is demanded of a chain, and of the run that built it. */
export const DEMANDS: typeof SIGNER_OPTIONS & typeof RUN_OPTIONS & typeof FILE_OPTIONS = {
  ...SIGNER_OPTIONS,
  ...RUN_OPTIONS,
  ...FILE_OPTIONS,
};

/**
 * Reads the options of `./options`, and which files have to name what; throws `USAGE` for what could never hold, and for
 * what only a signature can say where there is no key.
 */
export async function readDemands(
  values: DemandValues & { readonly files?: readonly string[]; readonly released?: readonly string[] },
): Promise<VerifyOptions> {
  const { revision, source, branch, 'builder-id': builders, 'builder-task': builderTasks } = values;
  if (revision !== undefined && !isCommit(revision)) {
    throw usage(`--revision is no git commit of 40 or 64 hex digits: ${revision}`);
  }
  if (source !== undefined && !isGitUrl(source)) throw usage(`--source is no git URL: ${source}`);
  if (branch !== undefined && !isBranch(branch)) throw usage(`--branch is no branch's name: ${branch}`);
  const odd = builderTasks?.find((pattern) => !isBundlePattern(pattern));
  if (odd !== undefined) {
    throw usage(`--builder-task is no bundle, as oci://quay.io/konflux-ci/tekton-catalog/*: ${odd}`);
  }
  const signed = (['source', 'branch', 'builder-id', 'builder-task', 'allow-pull-request'] as const).find(
    (name) => values[name],
  );
  if (signed !== undefined && !namesSigner(values)) {
    throw usage(`--${signed} needs --key or --certificate-identity: only what is signed says it`);
  }
  const keys = await readKeys(values.key);
  const identities = await readIdentities(values);
  const run = { revision, source, branch, builders, builderTasks, allowPullRequest: values['allow-pull-request'] };
  const files = parseFiles(values.files);
  return { keys, identities, ...run, files, released: parsePlaces('--released', values.released) };
}

/** No name of a tag or of other refs, and without what git refuses in all of them (git-check-ref-format(1)). */
function isBranch(text: string): boolean {
  return /^(?:refs\/heads\/|(?!refs\/))[^\s~^:?*[\\]+$/.test(text);
}

/** What a proof without a key leaves open. */
export const UNSIGNED = 'linked: who built the images is not known, for no public key was given';

/** Whether it is told who may have signed; `readIdentities` refuses what is incomplete. */
export function namesSigner(values: DemandValues): boolean {
  return Object.keys(SIGNER_OPTIONS).some((name) => values[name as keyof typeof SIGNER_OPTIONS] !== undefined);
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
