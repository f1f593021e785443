import { writeFileSync } from 'node:fs';
import { buildPacJudge, PacJudge } from './pac-judge.ts';

// What of a webhook's body Pipelines as Code keeps, as its own types say it.
const program = buildPacJudge();
if (program === undefined) throw new Error('there is no Go');
const judge = new PacJudge(program);
const { shapes } = await judge.ask({ headers: {}, body: {}, shapes: true });
judge.stop();
writeFileSync(new URL('../pac/webhook-shapes.json', import.meta.url), `${JSON.stringify(shapes, null, 2)}\n`);
