import { z } from 'zod';

// Tekton v1 as https://tekton.dev/docs/pipelines/pipeline-api/ has it, unknown fields refused, and narrower where
// Kubernetes or Tekton's own validation is: names, durations, references.

const name = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
const paramName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/);
const quantity = z.string().regex(/^[0-9]+(?:m|Ki|Mi|Gi)?$/);
const duration = z.string().regex(/^(?:[0-9]+h)?(?:[0-9]+m)?(?:[0-9]+s)?$/);
const image = z.string().regex(/^[a-z0-9.-]+(?::[0-9]+)?(?:\/[a-z0-9._-]+)+:[A-Za-z0-9_.-]+@sha256:[0-9a-f]{64}$/);

const metadata = z.strictObject({
  name,
  namespace: name.optional(),
  labels: z.record(z.string().regex(/^(?:[a-z0-9.-]+\/)?[A-Za-z0-9._-]{1,63}$/), z.string().max(63)).optional(),
  annotations: z.record(z.string().regex(/^(?:[a-z0-9.-]+\/)?[A-Za-z0-9._-]{1,63}$/), z.string()).optional(),
});

const paramSpec = z
  .strictObject({
    name: paramName,
    type: z.enum(['string', 'array']),
    description: z.string().optional(),
    default: z.union([z.string(), z.array(z.string())]).optional(),
  })
  .refine((param) => param.default === undefined || Array.isArray(param.default) === (param.type === 'array'));
const param = z.strictObject({ name: paramName, value: z.union([z.string(), z.array(z.string())]) });
const resources = z.strictObject({
  limits: z.strictObject({ memory: quantity.optional(), cpu: quantity.optional() }),
  requests: z.strictObject({ memory: quantity, cpu: quantity }),
});
const volumeMount = z.strictObject({
  name,
  mountPath: z.string().startsWith('/'),
  readOnly: z.boolean().optional(),
  subPath: z.string().optional(),
});
const securityContext = z.strictObject({
  runAsNonRoot: z.boolean().optional(),
  runAsUser: z.number().int().optional(),
  allowPrivilegeEscalation: z.boolean().optional(),
  capabilities: z
    .strictObject({ drop: z.array(z.string()).optional(), add: z.array(z.string()).optional() })
    .optional(),
});
const envName = z.string().regex(/^[A-Z_][A-Z0-9_]*$/);
const fieldPath = z.string().regex(/^metadata\.labels\['[a-z0-9./-]+'\]$/);
const valueFrom = z.strictObject({ fieldRef: z.strictObject({ fieldPath }) });
const env = z.array(
  z.union([z.strictObject({ name: envName, value: z.string() }), z.strictObject({ name: envName, valueFrom })]),
);

const step = z
  .strictObject({
    name,
    image,
    onError: z.enum(['continue', 'stopAndFail']).optional(),
    imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional(),
    command: z.array(z.string()).optional(),
    args: z.array(z.string()).optional(),
    env: env.optional(),
    workingDir: z.string().startsWith('/').optional(),
    volumeMounts: z.array(volumeMount).optional(),
    securityContext: securityContext.optional(),
    script: z.string().startsWith('#!').optional(),
    computeResources: resources,
  })
  // Tekton gives a script its args, but lets it have no command.
  .refine((value) => value.script === undefined || value.command === undefined);

const taskSpec = z.strictObject({
  description: z.string().optional(),
  params: z.array(paramSpec),
  results: z
    .array(z.strictObject({ name: paramName, type: z.literal('array').optional(), description: z.string().optional() }))
    .optional(),
  stepTemplate: z
    .strictObject({
      securityContext: securityContext.optional(),
      volumeMounts: z.array(volumeMount).optional(),
      env: env.optional(),
      computeResources: resources.optional(),
    })
    .optional(),
  steps: z.array(step).min(1),
  workspaces: z
    .array(z.strictObject({ name, description: z.string().optional(), optional: z.boolean().optional() }))
    .optional(),
  volumes: z
    .array(
      z.union([
        z.strictObject({ name, emptyDir: z.strictObject({}) }),
        z.strictObject({
          name,
          configMap: z.strictObject({
            name: z.string(),
            optional: z.boolean(),
            items: z.array(z.strictObject({ key: z.string(), path: z.string() })),
          }),
        }),
      ]),
    )
    .optional(),
});

const taskRef = z.union([
  z.strictObject({ name }),
  z.strictObject({
    resolver: z.literal('bundles'),
    params: z.tuple([
      z.strictObject({ name: z.literal('name'), value: name }),
      z.strictObject({ name: z.literal('bundle'), value: image }),
      z.strictObject({ name: z.literal('kind'), value: z.literal('task') }),
    ]),
  }),
  z.strictObject({
    resolver: z.literal('git'),
    params: z.tuple([
      z.strictObject({ name: z.literal('url'), value: z.url() }),
      z.strictObject({ name: z.literal('revision'), value: z.string() }),
      z.strictObject({ name: z.literal('pathInRepo'), value: z.string() }),
    ]),
  }),
]);

const pipelineTask = z
  .strictObject({
    name,
    timeout: duration.optional(),
    runAfter: z.array(name).min(1).optional(),
    when: z
      .array(
        z.strictObject({ input: z.string(), operator: z.enum(['in', 'notin']), values: z.array(z.string()).min(1) }),
      )
      .optional(),
    taskRef: taskRef.optional(),
    taskSpec: taskSpec.optional(),
    params: z.array(param).optional(),
    workspaces: z.array(z.strictObject({ name, workspace: name })).optional(),
  })
  .refine((task) => (task.taskRef === undefined) !== (task.taskSpec === undefined), 'either taskRef or taskSpec');

export const taskSchema = z.strictObject({
  apiVersion: z.literal('tekton.dev/v1'),
  kind: z.literal('Task'),
  metadata,
  spec: taskSpec,
});

export const pipelineSchema = z.strictObject({
  apiVersion: z.literal('tekton.dev/v1'),
  kind: z.literal('Pipeline'),
  metadata,
  spec: z.strictObject({
    description: z.string(),
    params: z.array(paramSpec),
    workspaces: z.array(z.strictObject({ name, description: z.string(), optional: z.boolean() })).optional(),
    results: z.array(z.strictObject({ name: paramName, description: z.string(), value: z.string() })),
    tasks: z.array(pipelineTask).min(1),
  }),
});

export const pipelineRunSchema = z.strictObject({
  apiVersion: z.literal('tekton.dev/v1'),
  kind: z.literal('PipelineRun'),
  metadata,
  spec: z.strictObject({
    pipelineRef: z.strictObject({ name }),
    timeouts: z.strictObject({ pipeline: duration }),
    taskRunTemplate: z.strictObject({ serviceAccountName: name }),
    workspaces: z.array(z.strictObject({ name, secret: z.strictObject({ secretName: z.string() }) })),
    params: z.array(param),
  }),
});

/** With its Pipeline inside, as it is made without Pipelines as Code. */
export const embeddedPipelineRunSchema = z.strictObject({
  ...pipelineRunSchema.shape,
  spec: pipelineRunSchema.shape.spec
    .omit({ pipelineRef: true })
    .partial({ workspaces: true })
    .extend({ pipelineSpec: pipelineSchema.shape.spec }),
});

export type Task = z.output<typeof taskSchema>;
export type TaskSpec = z.output<typeof taskSpec>;
export type Pipeline = z.output<typeof pipelineSchema>;
export type PipelineTask = z.output<typeof pipelineTask>;
export type PipelineRun = z.output<typeof pipelineRunSchema>;
