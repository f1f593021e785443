import type { Shape } from './shape.ts';

/** A list of strings. */
export const STRINGS: Shape = ['string'];
/** How labels of objects are asked for. */
export const SELECTOR: Shape = {
  matchLabels: { '*': 'string' },
  matchExpressions: [{ key: 'string', operator: 'string', values: STRINGS }],
};

/** What every object of Kubernetes may say of itself. */
export const METADATA: Shape = {
  name: 'string',
  generateName: 'string',
  namespace: 'string',
  labels: { '*': 'string' },
  annotations: { '*': 'string' },
  finalizers: STRINGS,
  ownerReferences: [
    {
      apiVersion: 'string',
      kind: 'string',
      name: 'string',
      uid: 'string',
      controller: 'boolean',
      blockOwnerDeletion: 'boolean',
    },
  ],
  uid: 'string',
  resourceVersion: 'string',
  generation: 'integer',
  creationTimestamp: 'time',
  deletionTimestamp: 'time',
  deletionGracePeriodSeconds: 'integer',
  selfLink: 'string',
  managedFields: [
    {
      manager: 'string',
      operation: 'string',
      apiVersion: 'string',
      time: 'time',
      fieldsType: 'string',
      fieldsV1: 'any',
      subresource: 'string',
    },
  ],
};
