import type { Field } from '../yaml/field.ts';
import { admitUniqueNames } from './params.ts';

/** Whether a text is a DNS label, as names of Kubernetes are. */
export function isLabel(text: string): boolean {
  return text.length <= 63 && /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(text);
}

const QUALIFIED = /^(?:(?<prefix>[^/]+)\/)?(?<name>[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)$/;

/** Notes what Tekton's webhook refuses in a taskRef, a pipelineRef or a step's ref. */
export function admitReference(reference: Field): void {
  const name = reference.get('name').text();
  const params = reference.get('params');
  const hasResolver = reference.get('resolver').text() !== '';
  const looksLikeUrl = /[\w-]:\//.test(name);
  if (!hasResolver && !params.present) {
    // Tekton would ask the default resolver, of which none is set where nobody did.
    if (name === '') {
      reference.get('name').invalid('is required');
      return;
    }
    if (looksLikeUrl) {
      reference.get('name').invalid('needs a resolver');
      return;
    }
    const { prefix, name: last = '' } = QUALIFIED.exec(name)?.groups ?? {};
    const prefixed = prefix === undefined || (prefix.length <= 253 && prefix.split('.').every(isLabel));
    if (last === '' || last.length > 63 || !prefixed)
      reference.get('name').invalid(`${JSON.stringify(name)} is no name`);
    return;
  }
  if (params.present && name !== '') reference.get('name').invalid('has either a name or params');
  if (!hasResolver) reference.get('resolver').invalid('is required with params');
  if (params.present) admitUniqueNames(params, 'params', true);
  if (hasResolver && name !== '') {
    reference
      .get('name')
      .invalid('beside a resolver needs a feature flag of Tekton that is off where nobody turned it on');
  }
}
