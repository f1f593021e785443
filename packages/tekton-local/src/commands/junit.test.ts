import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '@multi-image/kit/find-program';
import { expect, it } from 'vitest';
import type { PipelineRunOutcome, TaskOutcome } from '../outcome.ts';
import { junitOf } from './junit.ts';

const task = (name: string, more: Partial<TaskOutcome> = {}): TaskOutcome => ({
  name,
  status: 'Succeeded',
  results: {},
  steps: [],
  startedAt: 1000,
  finishedAt: 2500,
  ...more,
});
const outcome: PipelineRunOutcome = {
  name: 'run',
  status: 'Failed',
  results: {},
  startedAt: 0,
  finishedAt: 4000,
  tasks: [
    task('good'),
    task('each', { runs: [task('each'), task('each')] }),
    task('bad', {
      status: 'Failed',
      reason: 'Failed',
      message: '"step-s" exited with code 4',
      steps: [{ name: 's', logTail: ['<b>', '\u001b[31mred & "more"\ud800\u202e'] }],
    }),
    task('last', {
      status: 'Skipped',
      reason: 'PipelineRun was stopping',
      startedAt: undefined,
      finishedAt: undefined,
    }),
  ],
};

it('is a suite with a case for each TaskRun, and what a failed one said', () => {
  const text = junitOf([outcome]);
  expect(text).toContain('<testsuite name="run" tests="5" failures="1" errors="0" skipped="1" time="4.000"');
  expect(text).toContain('<testcase classname="run" name="good" time="1.500"/>');
  expect(text).toContain('name="each (2)"');
  expect(text).toContain('<failure type="Failed" message="&quot;step-s&quot; exited with code 4">&lt;b&gt;\n');
  expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cs}\p{Bidi_Control}]/u);
  expect(text).toContain('<skipped message="PipelineRun was stopping"/>');
});

const python = findProgram(['python3']);
it.skipIf(python === undefined)('is XML, whatever a step says (needs python3)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tekton-local-junit-'));
  try {
    const file = join(folder, 'report.xml');
    writeFileSync(file, junitOf([outcome]));
    const read = 'import sys, xml.etree.ElementTree as e; print(len(e.parse(sys.argv[1]).findall(".//testcase")))';
    expect(execFileSync(python ?? '', ['-c', read, file], { encoding: 'utf8' }).trim()).toBe('5');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
