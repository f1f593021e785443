import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { probeContainers } from '../containers/containers.ts';
import { PAGE, pageOf, type Row, rowOf, whyNotRun } from './conformance-page.ts';
import { Judge, judgeProgram, tektonModule } from './judge.ts';
import { makeStandInImages } from './stand-in-image.ts';
import { runExample, sayOf, tektonExamples } from './tekton-examples.ts';

// Writes docs/tekton-conformance.md: asks Tekton's own code about each of its examples, and runs those that can run here.

const program = judgeProgram();
if (program === undefined)
  throw new Error('the judge has to be built first: pnpm --filter @multi-image/tekton-local judge');
const tekton = tektonModule();
const judge = new Judge(program, tekton);
const { images, remove } = await makeStandInImages();
const containers = await probeContainers();
const rows: Row[] = [];
try {
  for (const example of tektonExamples(tekton)) {
    const said = await sayOf(judge, example);
    let ended: string | undefined;
    if (said.runs && whyNotRun(said) === '') {
      const { status, message, logs } = await runExample(example, images, containers);
      ended = status === 'Succeeded' ? status : `${status}: ${message}`;
      if (status !== 'Succeeded') process.stderr.write(`${example.name}: ${ended}\n${logs.slice(-10).join('\n')}\n`);
    }
    const row = rowOf(said, ended);
    rows.push(row);
    process.stdout.write(`${row.name}: ${row.said}${row.run === '' ? '' : ` (${row.run})`}\n`);
  }
} finally {
  remove();
  judge.stop();
}
writeFileSync(PAGE, pageOf(rows, basename(tekton).replace(/^.*@/, '')));
