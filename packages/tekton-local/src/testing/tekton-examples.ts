import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Containers } from '../containers/containers.ts';
import type { PipelineRunOutcome } from '../outcome.ts';
import { runPipeline } from '../run-pipeline.ts';
import { type Comparison, compare } from './compare.ts';
import type { Judge } from './judge.ts';

/** One run of an example of Tekton's. */
export interface Example {
  /** Below `examples/v1`; with the run's name where a file has several. */
  name: string;
  /** The file without other runs. */
  text: string;
  /** Tekton's CI does not run it. */
  outsideCi: boolean;
}

/** All runs of Tekton's own examples of v1. */
export function tektonExamples(tekton: string): Example[] {
  const folder = join(tekton, 'examples/v1');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
  return files.sort().flatMap((file) => {
    const whole = readFileSync(join(folder, file), 'utf8');
    const parts = whole.split(/^---.*$/m).filter((part) => part.replaceAll(/#.*$/gm, '').trim() !== '');
    const runs = parts.filter(isRun);
    return runs.map((run, index) => ({
      name: runs.length === 1 ? file : `${file} (${index + 1})`,
      text: runs.length === 1 ? whole : parts.filter((part) => part === run || !runs.includes(part)).join('\n---\n'),
      outsideCi: file.includes('no-ci/'),
    }));
  });
}

function isRun(text: string): boolean {
  return /^kind: *["']?(?:PipelineRun|TaskRun)["']? *(?:#.*)?$/m.test(text);
}

/** What is said of an example. */
export interface Said {
  example: Example;
  comparison: Comparison;
  /** In a few words. */
  words: string;
  /** Whether it can run here: nothing of it is refused. */
  runs: boolean;
}

/** What Tekton and tekton-local say of an example. */
export async function sayOf(judge: Judge, example: Example): Promise<Said> {
  const comparison = await compare(judge, example.text);
  const { verdict, taken, why } = comparison;
  const runs = taken && verdict === 'same';
  return { example, comparison, runs, words: runs ? 'as Tekton' : wordsOf(why, taken) };
}

/** The features that a refusal names, each once, without what is particular to a file. */
function wordsOf(why: readonly string[], taken: boolean): string {
  const features = why.map(
    (line) => FEATURES.find(([pattern]) => pattern.test(line))?.[1] ?? line.replace(/^.*?: /, ''),
  );
  return `${taken ? 'limit' : 'refused by both'}: ${[...new Set(features)].sort().join('; ')}`;
}

const FEATURES: readonly (readonly [RegExp, string])[] = [
  [/enable-artifacts/, 'artifacts (off in Tekton as it is installed)'],
  [/enable-param-enum/, 'enums of params (off in Tekton as it is installed)'],
  [/enable-cel-in-whenexpression/, 'CEL in when (off in Tekton as it is installed)'],
  [/pipelines in pipelines|there is no Task ""/, 'pipelines in pipelines (alpha)'],
  [/(?:stdout|stderr)Config/, 'streams of steps (alpha)'],
  [/nothing is fetched/, 'a resolver without --resolve'],
  [/CSI drivers|\.csi/, 'CSI volumes'],
  [/gitRepo/, 'gitRepo volumes'],
  [/privileged|rights of this machine/, 'privileged containers'],
  [/PersistentVolumeClaim|volume claims/, 'a claim that the file does not have'],
];

/** How an example ended here. */
export type Ending = { status: string; message: string; logs: string[]; outcome: PipelineRunOutcome };

/** Runs an example in containers, with images of this machine in place of its own. */
export async function runExample(
  { text }: Example,
  images: Record<string, string>,
  containers: Containers,
): Promise<Ending> {
  const root = mkdtempSync(join(tmpdir(), 'tekton-local-example-'));
  const logs: string[] = [];
  try {
    writeFileSync(join(root, 'run.yaml'), text);
    const outcome = await runPipeline({
      root,
      file: 'run.yaml',
      images,
      containers,
      signal: AbortSignal.timeout(LONGEST),
      onEvent: (event) => {
        if (event.type === 'log') logs.push(`${event.task}/${event.step}: ${event.line}`);
      },
    });
    const failed = outcome.tasks.filter(({ status }) => status === 'Failed');
    const message = failed.map((task) => `${task.name}: ${task.message}`).join('; ');
    return { status: outcome.status, message, logs, outcome };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const LONGEST = 120_000;

/** Why an example that is taken can't run on a machine without a network and a cluster. */
export function neededBy({ text }: Example): string | undefined {
  return NEEDS.find(([pattern]) => pattern.test(text))?.[1];
}

const NEEDS: readonly (readonly [RegExp, string])[] = [
  [
    /image: .*(?:git-init|git-clone|alpine\/git|alpine-git|cloud-builders|crane|skopeo|docker|dind)/,
    'an image for git, registries or Docker',
  ],
  [/image: .*(?:node|python|nop-)/, 'an image of a language'],
  [/github\.com\/(?!tektoncd\/pipeline\/cmd)/, 'GitHub'],
  [/kind: ServiceAccount/, 'a service account with Secrets'],
  [/large/, 'larger results (off in Tekton as it is installed)'],
];
