import { variablesIn } from '../replace/expressions.ts';
import type { Field } from '../yaml/field.ts';
import {
  admitAlone,
  admitKnown,
  admitNoArray,
  admitNoObject,
  admitObjectKeys,
  admitParamName,
  admitParamSpecs,
  declaredParams,
  knownParams,
} from './params.ts';
import { admitObjectProperties } from './pipeline.ts';
import { admitResultType } from './task.ts';

/** Notes what Tekton's webhook refuses in a StepAction's spec. */
export function admitStepAction(spec: Field): void {
  if (spec.get('image').text() === '') spec.get('image').invalid('is required');
  const script = spec.get('script');
  if (script.text() !== '' && spec.get('command').items().length > 0) {
    script.invalid('a StepAction has either a script or a command');
  }
  if (script.text().trim().startsWith('#!win')) {
    script.unsupported('scripts for Windows are an alpha feature of Tekton');
  }
  if (variablesIn(script.text(), 'params').length > 0) {
    script.invalid('a StepAction has no params in its script; use env');
  }
  admitParamSpecs(spec.get('params'), false);
  admitObjectProperties(spec.get('params'));
  const declared = declaredParams(spec.get('params'));
  for (const param of declared) admitParamName(spec.get('params'), param);
  const known = knownParams(declared);
  const objects = new Set(known.objects.keys());
  for (const { field, text, isItem } of textsOf(spec)) {
    admitKnown(field, text, 'params', known.all);
    admitObjectKeys(field, text, 'params', known.objects);
    admitNoObject(field, text, 'params', objects);
    if (isItem) admitAlone(field, text, 'params', known.arrays);
    else admitNoArray(field, text, 'params', known.arrays);
  }
  const results = spec.get('results').items();
  const names = new Set(results.map((result) => result.get('name').text()));
  admitKnown(script, script.text(), 'step.results', names);
  admitKnown(script, script.text(), 'results', names);
  for (const result of results) admitResultType(result, false);
  for (const mount of spec.get('volumeMounts').items()) {
    const name = mount.get('name').text();
    const found = variablesIn(name, 'params');
    if (found.length === 1 && found[0]?.text === name) continue;
    mount.get('name').invalid('in a StepAction a volume is named by one of its params: $(params.<name>)');
    return;
  }
}

/** The texts in which params may stand. */
function textsOf(spec: Field): { field: Field; text: string; isItem: boolean }[] {
  const one = (field: Field, isItem = false): { field: Field; text: string; isItem: boolean } => ({
    field,
    text: field.text(),
    isItem,
  });
  return [
    one(spec.get('image')),
    ...['command', 'args'].flatMap((key) =>
      spec
        .get(key)
        .items()
        .map((item) => one(item, true)),
    ),
    ...spec
      .get('env')
      .items()
      .map((variable) => one(variable.get('value'))),
    ...spec
      .get('volumeMounts')
      .items()
      .map((mount) => one(mount.get('name'))),
  ];
}
