import { konfluxSchemas } from '@multi-image/testing/konflux-schema';
import { z } from 'zod';
import type { KubeObject } from '../kube-api.ts';

type Schema = Record<string, unknown>;

/** Konflux' kinds as far as they are rendered, by their documented fields: the API server checks them as on a tenant. */
export function konfluxCrds(): readonly KubeObject[] {
  return Object.entries(konfluxSchemas).flatMap(([kind, schema]) => {
    const json = z.toJSONSchema(schema) as { properties: Record<string, Schema> };
    const apiVersion = String(json.properties.apiVersion?.const);
    const [group, version] = apiVersion.split('/');
    // What Kubernetes has itself is no custom resource.
    if (version === undefined || group === undefined || group.endsWith('.k8s.io')) return [];
    const plural = `${kind.toLowerCase()}s`.replace(/ys$/, 'ies');
    return [
      {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `${plural}.${group}` },
        spec: {
          group,
          scope: 'Namespaced',
          names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
          versions: [
            {
              name: version,
              served: true,
              storage: true,
              subresources: { status: {} },
              schema: {
                openAPIV3Schema: {
                  type: 'object',
                  required: ['spec'],
                  properties: {
                    spec: structural(json.properties.spec ?? {}),
                    status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                  },
                },
              },
            },
          ],
        },
      },
    ];
  });
}

/** What a CRD may say of JSON Schema. That a field is unknown, the API server finds by itself. */
function structural(schema: Schema): Schema {
  const { $schema: _, propertyNames: __, additionalProperties, const: only, properties, items, ...rest } = schema;
  // Anything at all, which a CRD has to say.
  if (Object.keys(schema).every((name) => name === '$schema')) return { 'x-kubernetes-preserve-unknown-fields': true };
  return {
    ...rest,
    ...(only === undefined ? {} : { enum: [only] }),
    ...(typeof additionalProperties === 'object' && additionalProperties !== null
      ? { additionalProperties: structural(additionalProperties as Schema) }
      : {}),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties as Record<string, Schema>).map(([name, one]) => [name, structural(one)]),
          ),
        }),
    ...(items === undefined ? {} : { items: structural(items as Schema) }),
  };
}
