import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseReference, repositoryName } from '@multi-image/digest-chain/oci';
import { EXIT } from '@multi-image/kit/command-line';
import { run as runProgram } from '@multi-image/kit/commands';
import { findTool, localTools } from '@multi-image/kit/local-tools';
import { printableJson } from '@multi-image/kit/terminal';
import { findOtherRegistry } from '../chain/konflux-registry.ts';
import { findOwnNames, findPlaceholders, isPlaceholder } from '../chain/placeholders.ts';
import type { ChainPlan, PlannedImage } from '../chain/plan.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { findLinkGaps } from '../containerfile/links.ts';
import { baseOf, pairsOf, readContainerfile } from '../containerfile/read.ts';
import { findAdoptions } from '../files/adopt.ts';
import { compareFiles, readIfThere } from '../files/compare.ts';
import { findDrift, findStale } from '../files/drift.ts';
import { HOW_TO_OWN_PINS, ownPins } from '../pins.ts';
import { POLICY_FOLDER } from '../render/policy.ts';
import { render } from '../render/render.ts';
import { readOptions } from './options.ts';
import { print } from './terminal.ts';

const help = `Usage: multi-image-manifests doctor [options]

Says what stands between this repository and a tenant: placeholders that are left, files that
are not as rendered, tags where a digest should be, Containerfiles that don't take the link,
tools that are missing. Changes nothing. Exits 1 where there is a problem.

  --config FILE   the config (default: konflux.config.ts)
  --json          print the findings as JSON
  --help          this text
`;

export interface Finding {
  /** A problem stops a tenant; a note may matter to you. */
  readonly level: 'problem' | 'note';
  readonly about: string;
  readonly found: string;
  readonly hint: string;
}

export async function runDoctor(args: readonly string[]): Promise<number> {
  const options = readOptions({ name: 'doctor', help }, args, {
    config: { type: 'string', default: 'konflux.config.ts' },
    json: { type: 'boolean', default: false },
  });
  if (options === undefined) return EXIT.done;
  const config = await loadConfig(options.config);
  const findings = [...diagnose(config), ...(await findUnprovable(config))];
  if (options.json) {
    process.stdout.write(`${printableJson({ findings })}\n`);
  } else {
    for (const { level, about, found, hint } of findings)
      print(`${level}: ${about}\n  found: ${found}\n  hint:  ${hint.replaceAll('\n', '\n         ')}`);
    if (findings.length === 0) print('nothing to report');
  }
  return findings.some(({ level }) => level === 'problem') ? EXIT.failed : EXIT.done;
}

const problem = (about: string, found: string, hint: string): Finding => ({ level: 'problem', about, found, hint });
const note = (about: string, found: string, hint: string): Finding => ({ level: 'note', about, found, hint });

/** Everything that a look at the files can find. */
export function diagnose(config: LoadedConfig): Finding[] {
  return [
    ...findPlaceholders(config.chain).map(({ field, value }) =>
      problem(`${field} is still a placeholder`, value, 'pnpm configure'),
    ),
    ...findRegistryProblem(config.chain),
    ...findFileProblems(config),
    ...config.chain.images.flatMap((image) => [...findMovingBases(image, config.root)]),
    ...findMovingExternals(config.chain),
    ...findMissingLinks(config),
    ...findTemplateNames(config),
    ...findOwners(config),
    ...findUntrusted(config.chain),
    ...findMissingTools(),
  ];
}

function* findRegistryProblem(chain: ChainPlan): Generator<Finding> {
  const registry = findOtherRegistry(chain);
  if (registry === undefined) return;
  const about = 'registry is not where Konflux makes the repositories: it puts them below the namespace';
  yield problem(about, chain.registry, `set registry: '${registry}' and render, or imageRepositories: 'own'`);
}

function* findFileProblems({ chain, pins, base, folder }: LoadedConfig): Generator<Finding> {
  const files = compareFiles(render(chain, pins, folder), base);
  for (const { path, line, found } of findDrift(files, pins))
    yield problem(`${path}:${line} is not as konflux.config.ts says`, found, 'pnpm render --diff shows all of it');
  for (const path of findStale(files, base)) {
    const found = 'a file of an earlier config, which Konflux would still read';
    yield problem(`${path} is no longer rendered`, found, 'delete it, or pnpm render --force');
  }
  for (const { from, to } of findAdoptions(files, pins))
    yield note(`a bot updated ${from}`, to, 'pnpm render takes it over');
}

/** A file of owners that the template came with asks nobody: GitHub passes over teams that are not there. */
function* findOwners({ root }: LoadedConfig): Generator<Finding> {
  const path = '.github/CODEOWNERS';
  const [owner] = /@your-\S+/.exec(readIfThere(join(root, path)) ?? '') ?? [];
  if (owner !== undefined) yield note(`${path} names a placeholder`, owner, 'put in who has to agree to a change');
}

/** What a release policy says to the chain's own tasks: Conforma's trusted_task judges those that put out an image. */
function* findUntrusted({ ownTasks }: ChainPlan): Generator<Finding> {
  const docs = 'docs/policy.md';
  if (ownTasks === 'source') {
    const about =
      "release policies that ask for trusted tasks (Conforma's trusted_task.trusted) refuse the chain's own";
    const hint = `pnpm bundles publishes them as a bundle for ownTasks; or ${docs}, "Without a bundle"`;
    yield note(about, "ownTasks: 'source': who changes the source changes its tasks, so no rule can allow them", hint);
    return;
  }
  const repository = repositoryName(parseReference(ownTasks.bundle));
  const about = "release policies that ask for trusted tasks take the chain's own where a rule allows their repository";
  yield note(about, `ownTasks: ${ownTasks.bundle}`, `pattern: oci://${repository} (${docs}, "Trusted tasks")`);
}

/** What Snapshots are judged by, and what nobody can prove for lack of it. */
async function findUnprovable({ chain, pins, pinsPath, root }: LoadedConfig): Promise<Finding[]> {
  const findings: Finding[] = [];
  const file = ownPins(pinsPath, root) ?? pinsPath;
  // In a package's own file an edit would be lost.
  const first = file === pinsPath ? `${HOW_TO_OWN_PINS}; in there, ` : '';
  if (chain.buildSystem === undefined) {
    const about = 'the config has no public key of the build system: scanners and verify-chain prove the link alone';
    findings.push(note(about, 'no buildSystem', 'docs/konflux.md, "The key of the build system", says where it is'));
  }
  if (pins.verifier === undefined) {
    const hint = `${first}verifier: and what git rev-parse HEAD prints`;
    findings.push(note(`${file} pins no verifier: Snapshots are judged by a branch`, 'a branch can move', hint));
    return findings;
  }
  const git = (...args: string[]): Promise<number> =>
    runProgram('git', args, { cwd: root }).then(
      ({ exitCode }) => exitCode,
      () => 0,
    );
  const isGit = (await git('rev-parse', '--git-dir')) === 0;
  const policy = `${pins.verifier}:${POLICY_FOLDER}`;
  if (isGit && chain.policy === 'source' && (await git('cat-file', '-e', policy)) !== 0) {
    const about = 'Conforma would not find the policy at the commit that the config takes it from';
    const hint = `${first}a later commit as verifier; or policy: { bundle: … }, which pnpm bundles prints`;
    findings.push({ level: 'problem', about, found: `${policy} (${file})`, hint });
  }
  if (isGit && (await git('cat-file', '-e', `${pins.verifier}^{commit}`)) !== 0) {
    const about =
      'this clone has not the commit whose digest-chain judges Snapshots: its remote may not have it either';
    const hint = `git fetch --unshallow; or ${first}set verifier to what git rev-parse HEAD prints, and render`;
    findings.push(note(about, `${pins.verifier} (${file})`, hint));
  }
  return findings;
}

/** A base by tag gives other digests tomorrow. */
function* findMovingBases({ containerfile }: PlannedImage, root: string): Generator<Finding> {
  const { globals, stages } = readContainerfile(readFileSync(join(root, containerfile), 'utf8'));
  const named = globals.flatMap((instruction) =>
    instruction.name === 'ARG' ? pairsOf(instruction).map(([, value]) => ({ value, line: instruction.line })) : [],
  );
  const bases = stages.flatMap(([from]) => (from === undefined ? [] : [{ value: baseOf(from), line: from.line }]));
  for (const { value, line } of [...named, ...bases]) {
    if (!/[/:]/.test(value) || value.startsWith('$') || value.includes('@sha256:')) continue;
    const hint = `add its digest: ${value}@sha256:…; skopeo inspect --format '{{.Digest}}' docker://${value} prints it`;
    yield problem(`${containerfile}:${line}: a base image by tag`, value, hint);
  }
}

/** What is built elsewhere is only as fixed as its name. */
function findMovingExternals({ external }: ChainPlan): Finding[] {
  return external.flatMap(({ role, image }) => {
    const field = `external.${role}.image`;
    if (isPlaceholder(image)) {
      return problem(`${field} is still a placeholder`, image, 'name the image in konflux.config.ts, and render');
    }
    if (image.includes('@')) return [];
    const hint = 'a digest beside the tag keeps it until somebody, or a bot, writes another';
    return note(`${field} is a tag: each run takes what it names then`, image, hint);
  });
}

/** What has to be in a Containerfile for the link to get into the image. */
function findMissingLinks({ chain, root }: LoadedConfig): Finding[] {
  return findLinkGaps(chain, root).map(({ containerfile, line, embeds, lacks, add }) =>
    problem(
      `${containerfile}:${line}: the image would not say which ${embeds} it embeds`,
      lacks,
      ['after that line, or in its place:', ...add].join('\n'),
    ),
  );
}

/** Names that the template came with: nothing is wrong with them, but that they name something else. */
function findTemplateNames({ chain, root }: LoadedConfig): Finding[] {
  return [
    ...findOwnNames(chain).map(({ field, value, option }) =>
      note(`${field} is the template's own`, value, `pnpm configure --${option} NAME`),
    ),
    ...chain.images.flatMap(({ containerfile, repository }) => {
      const hint = 'docs/your-images.md says how to put your own in its place';
      const lines = readFileSync(join(root, containerfile), 'utf8').split('\n');
      const at = lines.findIndex((line) => /apps\/image[12]\/|multi-image-poc/.test(line));
      return [
        ...(/\/multi-image-poc-[^/]*$/.test(repository)
          ? [note("a repository has the template's own name", repository, 'name it in konflux.config.ts, and render')]
          : []),
        ...(at < 0
          ? []
          : [note(`${containerfile}:${at + 1}: builds the template's demo program`, lines[at]?.trim() ?? '', hint)]),
      ];
    }),
  ];
}

function findMissingTools(): Finding[] {
  const tools = [
    { programs: ['kubectl', 'oc'], purpose: 'a tenant' },
    ...localTools().map((tool) => ({ ...tool, purpose: 'a local run; pnpm e2e installs it where it may' })),
  ];
  return tools
    .filter((tool) => findTool(tool) === undefined)
    .map(({ programs, purpose }) =>
      note(`${programs.join(' or ')} is not installed`, 'no such command', `it is needed for ${purpose}`),
    );
}
