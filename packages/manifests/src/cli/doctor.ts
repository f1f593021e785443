import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { LabelNames } from '@multi-image/digest-chain/oci';
import { EXIT } from '@multi-image/kit/command-line';
import { printableJson } from '@multi-image/kit/terminal';
import { findOtherRegistry } from '../chain/konflux-registry.ts';
import type { ChainPlan, PlannedImage } from '../chain/plan.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { findAdoptions } from '../files/adopt.ts';
import { compareFiles, findDrift } from '../files/drift.ts';
import { findStale } from '../files/stale.ts';
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
  const findings = diagnose(await loadConfig(options.config));
  if (options.json) {
    process.stdout.write(`${printableJson({ findings })}\n`);
  } else {
    for (const { level, about, found, hint } of findings)
      print(`${level}: ${about}\n  found: ${found}\n  hint:  ${hint}`);
    if (findings.length === 0) print('nothing to report');
  }
  return findings.some(({ level }) => level === 'problem') ? EXIT.failed : EXIT.done;
}

/** Everything that a look at the files can find. */
export function diagnose(config: LoadedConfig): Finding[] {
  return [
    ...findPlaceholders(config.chain),
    ...findRegistryProblem(config.chain),
    ...findFileProblems(config),
    ...config.chain.images.flatMap((image) => readContainerfile(image, config)),
    ...findMissingTools(),
  ];
}

function findPlaceholders(chain: ChainPlan): Finding[] {
  const values = {
    application: chain.application,
    namespace: chain.namespace,
    'git.url': chain.gitUrl,
    registry: chain.registry,
  };
  return Object.entries(values).flatMap(([field, value]) =>
    /(?:^|[/.])your-/.test(value)
      ? [{ level: 'problem' as const, about: `${field} is still a placeholder`, found: value, hint: 'pnpm configure' }]
      : [],
  );
}

function findRegistryProblem(chain: ChainPlan): Finding[] {
  const registry = findOtherRegistry(chain);
  if (registry === undefined) return [];
  const about = 'registry is not where Konflux makes the repositories: it puts them below the namespace';
  const hint = `set registry: '${registry}' and render, or imageRepositories: 'own'`;
  return [{ level: 'problem', about, found: chain.registry, hint }];
}

function findFileProblems({ chain, pins, base, folder }: LoadedConfig): Finding[] {
  const files = compareFiles(render(chain, pins, folder), base);
  return [
    ...findDrift(files).map(({ path, line, found }) => ({
      level: 'problem' as const,
      about: `${path}:${line} is not as konflux.config.ts says`,
      found,
      hint: 'pnpm render --diff shows all of it',
    })),
    ...findStale(files, base).map((path) => ({
      level: 'problem' as const,
      about: `${path} is no longer rendered`,
      found: 'a file of an earlier config, which Konflux would still read',
      hint: 'delete it, or pnpm render --force',
    })),
    ...findAdoptions(files, pins).map(({ from, to }) => ({
      level: 'note' as const,
      about: `a bot updated ${from}`,
      found: to,
      hint: 'pnpm render takes it over',
    })),
  ];
}

/** What a Containerfile must have for the link to get into the image. A base by tag gives other digests tomorrow. */
function readContainerfile(image: PlannedImage, { chain, root }: LoadedConfig): Finding[] {
  const text = readFileSync(join(root, image.containerfile), 'utf8');
  const findings: Finding[] = [];
  const say = (level: Finding['level'], about: string, found: string, hint: string): void => {
    findings.push({ level, about: `${image.containerfile}: ${about}`, found, hint });
  };
  const bases = [...text.matchAll(/^\s*(?:FROM\s+(?:--\S+\s+)*(\S+)|ARG\s+[A-Z_]*(?:BASE|IMAGE)=(\S+))/gim)]
    .map(([, from, argument]) => from ?? argument ?? '')
    .filter((base) => /[/:]/.test(base) && !base.startsWith('$'));
  for (const base of bases) {
    if (!base.includes('@sha256:'))
      say('problem', 'a base image by tag', base, 'add its digest: repository:tag@sha256:…');
  }
  for (const embedded of image.embeds) {
    for (const name of [`${embedded.argumentPrefix}_DIGEST`, `${embedded.argumentPrefix}_URL`]) {
      if (!new RegExp(`^\\s*ARG\\s+(?:\\S+\\s+)*${name}\\b`, 'm').test(text)) {
        say(
          'problem',
          `no ARG ${name}`,
          'a build argument that is thrown away',
          `ARG ${name}, then ENV and LABEL with its value`,
        );
      }
    }
    const label = new LabelNames(chain.labelPrefix).digestOf(embedded.role);
    if (!text.includes(label))
      say('problem', `no label ${label}`, 'an image that does not say what it embeds', `LABEL ${label}=…`);
  }
  return findings;
}

const TOOLS: readonly { readonly name: string; readonly instead?: string; readonly for: string }[] = [
  { name: 'git', for: 'everything' },
  { name: 'kubectl', instead: 'oc', for: 'a tenant' },
  { name: 'buildah', for: 'a local run' },
  { name: 'podman', for: 'a local run' },
];

function findMissingTools(): Finding[] {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const has = (name: string): boolean => folders.some((folder) => folder !== '' && existsSync(join(folder, name)));
  return TOOLS.flatMap(({ name, instead, for: purpose }) =>
    has(name) || (instead !== undefined && has(instead))
      ? []
      : [
          {
            level: 'note' as const,
            about: `${instead === undefined ? name : `${name} or ${instead}`} is not installed`,
            found: 'no such command',
            hint: `it is needed for ${purpose}`,
          },
        ],
  );
}
