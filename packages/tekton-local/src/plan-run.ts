import { TektonLocalError } from './errors.ts';
import { AUTH_SECRET, isOfEvents, variablesOf } from './pac/variables.ts';
import type { GivenTask, ParamValue, ResolvedRun } from './plan/model.ts';
import { makePlan, type Plan } from './plan/plan.ts';
import { resolveRun } from './plan/resolve.ts';
import type { VariableLookup } from './plan/yaml-file.ts';
import { elsewhereText, findElsewhere } from './run/own-registry.ts';

/** What a run is made of. */
export interface PlanOptions {
  /** The checkout folder: files are looked up in it, and never outside. */
  root: string;
  /** The PipelineRun's file, relative to `root`. */
  file: string;
  /** Of the PipelineRun, where the file has several: its `metadata.name`. */
  name?: string;
  /** The PipelineRun or TaskRun itself, in place of one in the file. */
  run?: object;
  /** Further files, relative to `root`, whose Pipelines and Tasks are found by name. */
  beside?: readonly string[];
  /** `{{ variables }}` of Pipelines as Code; what is not given comes from the git state of `root`. */
  variables?: Readonly<Record<string, string>>;
  /** What `{{ … }}` stands for, in place of the variables alone: expressions of an event's body and headers as well. */
  lookup?: VariableLookup;
  /**
   * The run's own registry, as `host:port` on this machine's loopback. With it the run has to do with no other, whatever
   * its files say: it is refused where a param names an image elsewhere, a task that gets such a param from a result is
   * not started, containers reach no other host by way of a proxy, and nothing elsewhere is signed.
   */
  registry?: string;
  /**
   * A registry of the run's own in place of those that its files name, and no signature in any but this machine's:
   * for files of others. What `params` say stays as it is, and so does an image by digest or of a step.
   */
  ownRegistry?: boolean;
  /** Instead of the PipelineRun's params. A name that the pipeline does not declare is refused. */
  params?: Readonly<Record<string, ParamValue>>;
  /**
   * Folders of this machine for workspaces of the pipeline, whatever the PipelineRun binds: the steps read and write
   * there, and what they leave stays.
   */
  workspaces?: Readonly<Record<string, string>>;
  /** For tasks that the pipeline takes from bundles, by the task's name there: bundles are not fetched. */
  tasks?: Readonly<Record<string, GivenTask>>;
  /**
   * Files and folders of this machine in place of what would be fetched: by its address (a URL, a git repository, an
   * image, `hub:NAME`), by the start of it, or by its resolver (`git`, `http`, `hub`, `cluster`, `bundles`).
   */
  replacements?: Readonly<Record<string, string>>;
  /** Folders that stand for Secrets and ConfigMaps, by their names: a file for each key. Steps get copies. */
  secrets?: Readonly<Record<string, string>>;
  configMaps?: Readonly<Record<string, string>>;
  /** Folders that stand for PersistentVolumeClaims, by their names: the steps read and write there. */
  claims?: Readonly<Record<string, string>>;
  /** Tasks that are not run, with the results that they are to have; by their names in the pipeline or its bundles. */
  skip?: Readonly<Record<string, Readonly<Record<string, ParamValue>>>>;
}

/**
 * All that can be said of a run before it starts. Whatever cannot run as Tekton would run it is refused with a
 * `TektonLocalError`.
 */
export async function planRun(options: PlanOptions): Promise<Plan> {
  const { root, params = {} } = options;
  const resolved = await resolveInEvent(options);
  const plan = makePlan(resolved, params, options.workspaces, options);
  if (options.registry !== undefined) refuseElsewhere(plan, options.registry, root);
  return plan;
}

/** Looks up all that a run names. Git is asked only where a file wants to know what git knows. */
async function resolveInEvent(options: PlanOptions): Promise<ResolvedRun> {
  const { root, file, name, run, beside, lookup, replacements, skip, params = {}, tasks = {} } = options;
  const variables = options.variables ?? {};
  const authSecret = variables.git_auth_secret ?? AUTH_SECRET;
  const given = { tasks, replacements, skip, overrides: params };
  const resolve = (
    known: Readonly<Record<string, string>>,
    find?: VariableLookup,
    mayAskAgain?: boolean,
  ): ResolvedRun =>
    resolveRun({ root, file, name, run, beside, variables: known, lookup: find, mayAskAgain, authSecret, ...given });
  if (lookup !== undefined) return resolve(variables, lookup);
  let asked = false;
  const withoutEvent = (word: string): string | undefined => {
    if (Object.hasOwn(variables, word)) return variables[word];
    asked ||= isOfEvents(word);
    return undefined;
  };
  try {
    const resolved = resolve(variables, withoutEvent, true);
    if (!asked) return resolved;
  } catch (error) {
    if (!asked) throw error;
  }
  const { eventFromGit } = await import('./pac/git-event.ts');
  return resolve({ ...variablesOf(await eventFromGit(root)), ...variables });
}

/** What is known before the run starts: the pipeline's params, and what it says in the params of its tasks. */
function refuseElsewhere({ run, params, pipeline, implementations }: Plan, registry: string, root: string): void {
  const owners = [
    { who: 'the PipelineRun', params },
    ...[...pipeline.tasks, ...pipeline.finally].map((task) => ({
      who: `task ${task.name}`,
      params: {
        ...Object.fromEntries(
          (implementations.get(task.name)?.task.params ?? []).flatMap(({ name, default: value }) =>
            value === undefined ? [] : [[name, value]],
          ),
        ),
        ...Object.fromEntries(task.params.map(({ name, value }) => [name, value])),
      },
    })),
  ];
  for (const { who, params: given } of owners) {
    const elsewhere = findElsewhere(given, registry, root);
    if (elsewhere === undefined) continue;
    throw new TektonLocalError(
      'INVALID',
      `${who} of ${run.name} would not stay here: ${elsewhereText(elsewhere, registry)}`,
      {
        expected: `an image in ${registry}`,
        found: elsewhere.reference,
        hint: 'nothing was started',
      },
    );
  }
}
