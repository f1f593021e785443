import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabelNames } from '@multi-image/digest-chain/oci';
import { EXIT } from '@multi-image/kit/command-line';
import { run as runProgram } from '@multi-image/kit/commands';
import { findProgram } from '@multi-image/kit/find-program';
import { printableJson } from '@multi-image/kit/terminal';
import { findOtherRegistry } from '../chain/konflux-registry.ts';
import { findPlaceholders } from '../chain/placeholders.ts';
import type { ChainPlan, PlannedImage } from '../chain/plan.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { findAdoptions } from '../files/adopt.ts';
import { compareFiles } from '../files/compare.ts';
import { findDrift, findStale } from '../files/drift.ts';
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
      print(`${level}: ${about}\n  found: ${found}\n  hint:  ${hint}`);
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
    ...config.chain.images.flatMap((image) => [...readContainerfile(image, config)]),
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

/** What Snapshots are judged by, and what nobody can prove for lack of it. */
async function findUnprovable({ chain, pins, pinsPath, root }: LoadedConfig): Promise<Finding[]> {
  const findings: Finding[] = [];
  if (chain.buildSystem === undefined) {
    const about = 'the config has no public key of the build system: scanners and verify-chain prove the link alone';
    findings.push(note(about, 'no buildSystem', 'docs/konflux.md, "The key of the build system", says where it is'));
  }
  if (pins.verifier === undefined) {
    const hint = 'verifier: and what git rev-parse HEAD prints';
    findings.push(note(`${pinsPath} pins no verifier: Snapshots are judged by a branch`, 'a branch can move', hint));
    return findings;
  }
  const git = (...args: string[]): Promise<number> =>
    runProgram('git', args, { cwd: root }).then(
      ({ exitCode }) => exitCode,
      () => 0,
    );
  const isGit = (await git('rev-parse', '--git-dir')) === 0;
  if (isGit && (await git('cat-file', '-e', `${pins.verifier}^{commit}`)) !== 0) {
    const about =
      'this clone has not the commit whose digest-chain judges Snapshots: its remote may not have it either';
    const hint = `git fetch --unshallow, or set verifier in ${pinsPath} to what git rev-parse HEAD prints, and render`;
    findings.push(note(about, pins.verifier, hint));
  }
  return findings;
}

/** What a Containerfile must have for the link to get into the image. A base by tag gives other digests tomorrow. */
function* readContainerfile(image: PlannedImage, { chain, root }: LoadedConfig): Generator<Finding> {
  const { containerfile } = image;
  const text = readFileSync(join(root, containerfile), 'utf8');
  const bases = text.matchAll(/^\s*(?:FROM\s+(?:--\S+\s+)*(\S+)|ARG\s+[A-Z_]*(?:BASE|IMAGE)=(\S+))/gim);
  for (const [, from, argument] of bases) {
    const base = from ?? argument ?? '';
    if (!/[/:]/.test(base) || base.startsWith('$') || base.includes('@sha256:')) continue;
    yield problem(`${containerfile}: a base image by tag`, base, 'add its digest: repository:tag@sha256:…');
  }
  for (const { role, argumentPrefix } of image.embeds) {
    for (const name of [`${argumentPrefix}_DIGEST`, `${argumentPrefix}_URL`]) {
      if (new RegExp(`^\\s*ARG\\s+(?:\\S+\\s+)*${name}\\b`, 'm').test(text)) continue;
      const found = 'a build argument that is thrown away';
      yield problem(`${containerfile}: no ARG ${name}`, found, `ARG ${name}, then ENV and LABEL with its value`);
    }
    const label = new LabelNames(chain.labelPrefix).digestOf(role);
    if (text.includes(label)) continue;
    const found = 'an image that does not say what it embeds';
    yield problem(`${containerfile}: no label ${label}`, found, `LABEL ${label}=…`);
  }
}

/** The programs that are needed, each with another that does as well, and what for. */
const TOOLS = [
  { names: ['git'], purpose: 'everything' },
  { names: ['kubectl', 'oc'], purpose: 'a tenant' },
  { names: ['buildah'], purpose: 'a local run' },
  { names: ['podman'], purpose: 'a local run' },
];

function findMissingTools(): Finding[] {
  return TOOLS.filter(({ names }) => findProgram(names) === undefined).map(({ names, purpose }) =>
    note(`${names.join(' or ')} is not installed`, 'no such command', `it is needed for ${purpose}`),
  );
}
