import { buildJudge } from './judge.ts';

const program = buildJudge();
console.log(program ?? 'there is no Go: the tests that ask Tekton itself skip by name');
