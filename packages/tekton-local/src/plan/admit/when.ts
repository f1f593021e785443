import { isEmpty } from '../decode/shape.ts';
import type { Field } from '../yaml/field.ts';

/** Notes what Tekton's webhook refuses in `when`, of a pipeline task or of a step. */
export function admitWhen(when: Field): void {
  for (const item of when.items()) {
    if (item.get('cel').text() !== '') {
      item
        .get('cel')
        .unsupported(
          "needs Tekton's feature flag enable-cel-in-whenexpression, which is off where nobody turned it on",
        );
      continue;
    }
    if (isEmpty(item.value)) {
      item.invalid('says nothing: input, operator and values are expected');
      continue;
    }
    const operator = item.get('operator').text();
    if (operator !== 'in' && operator !== 'notin') {
      item.get('operator').invalid(`expected in or notin, found ${JSON.stringify(operator)}`);
    }
    if (item.get('values').items().length === 0) item.get('values').invalid('needs at least one value');
  }
}
