import { z } from 'zod';

// The custom resources as their CRDs have them, as far as they are rendered, unknown fields refused. The API server
// drops unknown fields in silence; here they are an error.

const name = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
const strings = z.record(z.string(), z.string());
const metadata = z.strictObject({
  name: objectName,
  namespace: name,
  labels: strings.optional(),
  annotations: strings.optional(),
});
const resource = <Kind extends string, Spec extends z.ZodType>(apiVersion: string, kind: Kind, spec: Spec) =>
  z.strictObject({ apiVersion: z.literal(apiVersion), kind: z.literal(kind), metadata, spec });

const RBAC = 'rbac.authorization.k8s.io';

export const konfluxSchemas = {
  Application: resource(
    'appstudio.redhat.com/v1alpha1',
    'Application',
    z.strictObject({ displayName: z.string().min(1), description: z.string().optional() }),
  ),
  Component: resource(
    'appstudio.redhat.com/v1alpha1',
    'Component',
    z.strictObject({
      application: name,
      componentName: name,
      source: z.strictObject({
        git: z.strictObject({
          url: z.url(),
          revision: z.string(),
          context: z.string().optional(),
          dockerfileUrl: z.string().optional(),
        }),
      }),
      containerImage: z.string().optional(),
    }),
  ),
  ImageRepository: resource(
    'appstudio.redhat.com/v1alpha1',
    'ImageRepository',
    z.strictObject({
      image: z.strictObject({
        name: z.string().regex(/^[a-z0-9][.a-z0-9_-]*(\/[a-z0-9][.a-z0-9_-]*)*$/),
        visibility: z.enum(['public', 'private']),
      }),
    }),
  ),
  IntegrationTestScenario: resource(
    'appstudio.redhat.com/v1beta2',
    'IntegrationTestScenario',
    z.strictObject({
      application: name,
      contexts: z.array(z.strictObject({ name: z.string(), description: z.string().optional() })),
      params: z
        .array(
          z.strictObject({ name: z.string(), value: z.string().optional(), values: z.array(z.string()).optional() }),
        )
        .optional(),
      resolverRef: z.strictObject({
        resolver: z.string(),
        resourceKind: z.enum(['pipeline', 'pipelinerun']),
        params: z.array(z.strictObject({ name: z.string(), value: z.string() })),
      }),
    }),
  ),
  EnterpriseContractPolicy: resource(
    'appstudio.redhat.com/v1alpha1',
    'EnterpriseContractPolicy',
    z.strictObject({
      name: z.string().optional(),
      description: z.string().optional(),
      publicKey: z.string().optional(),
      sources: z
        .array(
          z.strictObject({
            name: z.string().optional(),
            policy: z.array(z.string()).min(1),
            data: z.array(z.string()).optional(),
            ruleData: z.record(z.string(), z.unknown()).optional(),
          }),
        )
        .min(1),
    }),
  ),
  ServiceAccount: z.strictObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('ServiceAccount'),
    metadata,
    secrets: z.array(z.strictObject({ name: objectName })).min(1),
  }),
  Role: z.strictObject({
    apiVersion: z.literal(`${RBAC}/v1`),
    kind: z.literal('Role'),
    metadata,
    rules: z
      .array(
        z.strictObject({ apiGroups: z.array(z.string()), resources: z.array(z.string()), verbs: z.array(z.string()) }),
      )
      .min(1),
  }),
  RoleBinding: z.strictObject({
    apiVersion: z.literal(`${RBAC}/v1`),
    kind: z.literal('RoleBinding'),
    metadata,
    roleRef: z.strictObject({ apiGroup: z.literal(RBAC), kind: z.literal('Role'), name: objectName }),
    subjects: z.array(z.strictObject({ kind: z.literal('ServiceAccount'), name: objectName, namespace: name })).min(1),
  }),
};
