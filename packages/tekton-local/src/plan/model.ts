import type { Problem } from '../errors.ts';
import type { Field } from './yaml/field.ts';
import type { Limits } from './yaml/quantity.ts';

/** The three kinds of parameter that Tekton knows. */
export type ParamType = 'string' | 'array' | 'object';

/** The value of a parameter or of a result. */
export type ParamValue = string | string[] | Record<string, string>;

/** A declared parameter. */
export interface ParamSpec {
  name: string;
  type: ParamType;
  default?: ParamValue;
  field: Field;
}

/** A parameter that is given, or a result of a pipeline. */
export interface Param {
  name: string;
  value: ParamValue;
  field: Field;
}

/** A declared result of a Task, or of a step. */
export interface ResultSpec {
  name: string;
  type: ParamType;
  /** `$(steps.s.results.r)`: the result is a step's. */
  value?: string;
  field: Field;
}

export interface EnvVar {
  name: string;
  value: string;
  /** It is the template's: it knows nothing of the step's own results. */
  inherited?: boolean | undefined;
  /** The field of the Pod to take the value from: `metadata.name`, `metadata.labels['x']`. */
  ofPod?: string | undefined;
  /** A key of a ConfigMap or Secret. */
  from?: (ObjectSource & { key: string }) | undefined;
}

/** A ConfigMap or Secret of a cluster, by its name. */
export interface ObjectSource {
  kind: 'configMap' | 'secret';
  object: string;
  optional: boolean;
  /** The keys that are taken, and the paths that they get; all of them where it is absent. */
  items?: readonly { key: string; path: string }[] | undefined;
  field: Field;
}

export interface VolumeMount {
  name: string;
  mountPath: string;
  subPath?: string | undefined;
  readOnly: boolean;
}

/** What a step's securityContext says, merged with its template's. */
export interface StepSecurity {
  runAsUser?: number | undefined;
  runAsGroup?: number | undefined;
  readOnlyRootFilesystem: boolean;
  noNewPrivileges: boolean;
  addCapabilities: string[];
  dropCapabilities: string[];
}

export interface Step {
  name: string;
  image: string;
  command?: string[] | undefined;
  args: string[];
  script?: string | undefined;
  env: EnvVar[];
  /** All keys of ConfigMaps and Secrets as variables. */
  envFrom: { prefix: string; source: ObjectSource }[];
  workingDir?: string | undefined;
  volumeMounts: VolumeMount[];
  /** `continue`, `stopAndFail`, or a variable that becomes one of them. */
  onError: string;
  /** Milliseconds. */
  timeout?: number;
  security: StepSecurity;
  results: ResultSpec[];
  /** It is only run where all of them are true. */
  when: When[];
  computeResources?: unknown;
  /** Of `computeResources`. */
  limits: Limits;
  /** Workspaces that it sees and other steps do not, unless they name them as well. */
  workspaces: { name: string; mountPath?: string | undefined; field: Field }[];
  /** The step without its Task's template: only once its values are known, what is empty is the template's. */
  own?: Step | undefined;
  /** It is a StepAction: what that says has params of its own, and is only put together where a TaskRun knows its own. */
  action?: ActionOfStep | undefined;
  field: Field;
}

/** What runs beside a Task's steps. Its results, conditions and errors mean nothing. */
export interface Sidecar extends Step {
  /** The first step waits for it. */
  ready?: Probe | undefined;
}

/** How to find out whether a sidecar is ready. Times are milliseconds. */
export interface Probe {
  check:
    | { kind: 'command'; command: string[] }
    | { kind: 'http'; host: string; port: string; path: string; scheme: string }
    | { kind: 'port'; host: string; port: string };
  delay: number;
  period: number;
  timeout: number;
}

/** A StepAction in a step. */
export interface ActionOfStep {
  declared: ParamSpec[];
  given: Param[];
  /** The step without its Task's template, in which the params are the StepAction's. */
  own: Step;
  template: Step;
}

export interface WorkspaceDeclaration {
  name: string;
  optional: boolean;
  readOnly: boolean;
  mountPath?: string | undefined;
  field: Field;
}

export interface Volume {
  name: string;
  kind: 'emptyDir' | 'claim' | 'objects';
  /** What is in it, where it is made of ConfigMaps and Secrets. */
  sources: readonly ObjectSource[];
  /** The name of a PersistentVolumeClaim. */
  claim?: string | undefined;
  readOnly: boolean;
  field: Field;
}

export interface Task {
  name: string;
  params: ParamSpec[];
  results: ResultSpec[];
  steps: Step[];
  sidecars: Sidecar[];
  /** What steps have where they say nothing else: it is in them already. */
  template?: Step | undefined;
  volumes: Volume[];
  workspaces: WorkspaceDeclaration[];
  field: Field;
}

export interface When {
  input: string;
  operator: 'in' | 'notin';
  values: string[];
  field: Field;
}

/** What a pipeline task runs, before and after it has been looked up. */
export type TaskReference =
  | { kind: 'name'; name: string; field: Field }
  | { kind: 'bundle'; name: string; bundle: string; field: Field }
  /** Behind another resolver. */
  | { kind: 'remote'; field: Field }
  | { kind: 'embedded'; task: Task };

/** A Task that the caller gives for one that a pipeline takes from a bundle. */
export interface GivenTask {
  /** A Task of `tekton.dev/v1`, or the path of a YAML file with one. */
  task: object | string;
  /**
   * Where its steps run: in containers (the default), or on this machine, as processes of this user with this machine's
   * programs. There a step sees no workspace, since other steps could leave links to anything in it; and its volumes
   * and results are not at their usual paths: where the Task's `command`, `args`, `env` and `workingDir` name those,
   * they get the paths that they have here. A script has to take them from there.
   */
  executor?: 'container' | 'host' | undefined;
  /** Variables for all of its steps, instead of their own or beside them. */
  env?: Readonly<Record<string, string>> | undefined;
}

/** What a pipeline task runs. */
export interface TaskImplementation {
  task: Task;
  /** Whether the pipeline has it inside: then it also sees the pipeline's params. */
  embedded: boolean;
  /** Where the caller gave it. */
  given?: GivenTask;
  /** What the caller who has it left out calls it, and the results that it gets in place of running. */
  skipped?: { as: string; results: Readonly<Record<string, ParamValue>> };
}

export interface PipelineTask {
  name: string;
  reference: TaskReference;
  /** Which controller runs it, where that is not Tekton's own. */
  custom?: Field | undefined;
  params: Param[];
  when: When[];
  runAfter: string[];
  workspaces: { name: string; workspace: string; subPath?: string | undefined; field: Field }[];
  retries: number;
  /** `continue`, `stopAndFail`, or a variable that becomes one of them. */
  onError: string;
  /** Milliseconds. */
  timeout?: number;
  matrix: Param[];
  /** Combinations that are added to those of the matrix, or add params to some of them. */
  include: Param[][];
  field: Field;
}

export interface Pipeline {
  name: string;
  params: ParamSpec[];
  workspaces: WorkspaceDeclaration[];
  tasks: PipelineTask[];
  finally: PipelineTask[];
  results: Param[];
  /** Paths in the annotation `pipelinesascode.tekton.dev/task`. */
  taskFiles: string[];
  field: Field;
}

/** The PersistentVolumeClaim that a workspace is: by its name, or the start of the name that a run makes up for it. */
export interface VolumeClaim {
  name: string;
  generated: boolean;
}

export type WorkspaceBinding =
  | { name: string; kind: 'emptyDir'; subPath?: string | undefined; field: Field }
  | { name: string; kind: 'volumeClaimTemplate'; claim: VolumeClaim; subPath?: string | undefined; field: Field }
  | { name: string; kind: 'folder'; path: string; claim?: VolumeClaim | undefined; subPath?: string | undefined }
  | { name: string; kind: 'unbound'; field: Field }
  /** Files of ConfigMaps and Secrets. */
  | { name: string; kind: 'objects'; sources: readonly ObjectSource[]; subPath?: string | undefined; field: Field }
  /** An object of a cluster, by its name. */
  | {
      name: string;
      kind: 'elsewhere';
      object: string;
      reason: string;
      isClaim: boolean;
      sources: readonly ObjectSource[];
      subPath?: string | undefined;
      field: Field;
    };

export interface PipelineRun {
  name: string;
  /** The name is the beginning of one: each run gets its own. */
  generated: boolean;
  namespace: string;
  annotations: Record<string, string>;
  labels: Record<string, string>;
  params: Param[];
  workspaces: WorkspaceBinding[];
  pipeline:
    | { kind: 'name'; name: string; field: Field }
    | { kind: 'remote'; field: Field }
    | { kind: 'embedded'; pipeline: Pipeline };
  /** Milliseconds; 0 means without limit. */
  timeouts: { pipeline: number; tasks?: number; finally?: number };
  serviceAccountName?: string;
  /** What all Pods of the run get, and those of single tasks, by the tasks' names. */
  pod: PodTemplate;
  pods: ReadonlyMap<string, PodTemplate>;
  /** It is a TaskRun, told as a run of a pipeline with that one task. */
  isTaskRun?: boolean;
  field: Field;
}

/** What of a Pod template means something without Pods. */
export interface PodTemplate {
  /** Instead of the steps' own, or beside them. */
  env: Record<string, string>;
  runAsUser?: number | undefined;
  runAsGroup?: number | undefined;
  /** Beside those of the Tasks. */
  volumes: readonly Volume[];
  /** Of a single task. */
  task?: TaskRunSpec | undefined;
}

/** What a run says of one of its TaskRuns. */
export interface TaskRunSpec {
  /** Milliseconds. */
  timeout?: number | undefined;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Of all of its steps, or of single ones, by their names. */
  limits?: Limits | undefined;
  stepLimits: ReadonlyMap<string, Limits>;
}

/** ConfigMaps, Secrets and claims that the files have themselves, as `kubectl apply` would make them. */
export interface FileObjects {
  /** The bytes of each key, by the objects' names. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, Buffer>>>>;
  readonly configMaps: Readonly<Record<string, Readonly<Record<string, Buffer>>>>;
  /** Names of PersistentVolumeClaims: volumes of the run. */
  readonly claims: readonly string[];
}

/** A PipelineRun with everything that it names. */
export interface ResolvedRun {
  run: PipelineRun;
  pipeline: Pipeline;
  /** What each task of the pipeline runs, by the task's name. */
  implementations: ReadonlyMap<string, TaskImplementation>;
  /** ConfigMaps, Secrets and claims of the files. */
  objects: FileObjects;
  problems: Problem[];
  /** What is odd in the files, and no problem. */
  notes: string[];
}
