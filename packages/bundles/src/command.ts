import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createRegistry, parseDigestReference, type Registry } from '@multi-image/digest-chain/oci';
import { EXIT } from '@multi-image/kit/command-line';
import { reasonOf } from '@multi-image/kit/errors';
import { printable, printableJson } from '@multi-image/kit/terminal';
import { type LoadedConfig, loadConfig } from '@multi-image/manifests';
import { stringify } from 'yaml';
import { checkBundle } from './check-bundle.ts';
import { BundlesError } from './errors.ts';
import { type Published, publish } from './publish.ts';
import { readSource } from './source.ts';

const HELP = `Usage: pnpm bundles --registry REGISTRY/ORGANISATION [options]
       pnpm bundles --check [options]

Publishes what a release needs of this repository, as the commit has it that is checked out:
chain-runner, an image with digest-chain; chain-tasks, a Tekton bundle of the tasks that run in
it; chain-policy, a policy for Conforma. The same commit gives the same digests. Prints what to
put into the config, and what a policy needs to trust the tasks.

  --registry TEXT    registry and organisation to push to
  --config FILE      the config (default: konflux.config.ts)
  --base IMAGE       base of chain-runner, by digest (default: the pinned image of Node.js)
  --rule-data FILE   write what a policy needs to trust the tasks to this file
  --check            read the bundle of the config, and make sure that it runs the pinned image
  --write FOLDER     with --check: write its tasks there, for tekton-local --resolve
  --json             print JSON
  --help             this text
`;

/** Runs the command; answers with the exit code. */
export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = readOptions(args);
  if (options.help) {
    process.stdout.write(HELP);
    return EXIT.done;
  }
  const config = await loadConfig(options.config);
  const registry = createRegistry({ signal });
  if (options.check) return check(registry, config, options);
  if (options.registry === undefined) throw usage('no registry given', '--registry quay.io/my-org');
  const { chain, pins, root } = config;
  const published = await publish(registry, {
    prefix: options.registry.replace(/\/+$/, ''),
    root,
    source: await readSource(root, chain.gitUrl),
    base: parseDigestReference(options.base ?? pins.images.node),
    pins,
  });
  if (options['rule-data'] !== undefined) writeFileSync(options['rule-data'], published.ruleData);
  process.stdout.write(options.json ? `${printableJson(published)}\n` : printable(textOf(published), '\n'));
  return EXIT.done;
}

async function check(
  registry: Registry,
  { chain }: LoadedConfig,
  options: { readonly write?: string | undefined; readonly json: boolean },
): Promise<number> {
  if (chain.ownTasks === 'source') {
    throw new BundlesError('USAGE', 'the config takes its tasks from the source', {
      expected: 'ownTasks: { bundle, runner }',
      found: "ownTasks: 'source'",
    });
  }
  const { bundle, runner } = chain.ownTasks;
  const tasks = await checkBundle(registry, bundle, runner);
  const names = tasks.map(({ metadata }) => metadata.name);
  if (options.write !== undefined) {
    const folder = resolve(options.write);
    mkdirSync(folder, { recursive: true });
    for (const task of tasks) writeFileSync(join(folder, `${task.metadata.name}.yaml`), stringify(task));
  }
  const text = `${bundle} has ${names.join(', ')}, which run in ${runner}\n`;
  process.stdout.write(options.json ? `${printableJson({ bundle, runner, tasks: names })}\n` : printable(text, '\n'));
  return EXIT.done;
}

function textOf({ runner, tasks, policy, ruleData }: Published): string {
  return `konflux.config.ts:

  ownTasks: {
    bundle: '${tasks}',
    runner: '${runner}',
  },
  policy: { bundle: '${policy}' },

Rule data of the policy that judges releases:

${ruleData}`;
}

function readOptions(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        registry: { type: 'string' },
        config: { type: 'string', default: 'konflux.config.ts' },
        base: { type: 'string' },
        'rule-data': { type: 'string' },
        check: { type: 'boolean', default: false },
        write: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (cause) {
    throw usage(reasonOf(cause), 'pnpm bundles --help shows the options', cause);
  }
}

function usage(message: string, hint: string, cause?: unknown): BundlesError {
  return new BundlesError('USAGE', message, { hint, cause });
}
