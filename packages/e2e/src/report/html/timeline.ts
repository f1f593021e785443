import { formatSpan } from '@multi-image/kit/durations';
import type { Report } from '../report.ts';
import { html, type Markup } from './markup.ts';

type Run = Report['runs'][number];

/** All PipelineRuns on one axis, a row a task: a table, so that it reads without seeing the bars. */
export function timeline(runs: readonly Run[]): Markup {
  const start = Math.min(...runs.map((run) => run.startedAt));
  const end = Math.max(...runs.map((run) => run.finishedAt));
  return html`${runs.map((run) => runTable(run, start, Math.max(1, end - start)))}`;
}

function runTable(run: Run, start: number, span: number): Markup {
  const rows = run.tasks.map((task) => {
    if (task.startedAt === undefined || task.finishedAt === undefined) {
      return html`<tr><th scope="row">${task.name}</th><td></td><td class="skipped">${task.status}</td></tr>
`;
    }
    const percent = (milliseconds: number): string => ((100 * milliseconds) / span).toFixed(2);
    const position = `margin-left:${percent(task.startedAt - start)}%;width:${percent(task.finishedAt - task.startedAt)}%`;
    const from = `from ${formatSpan(task.startedAt - start)}`;
    const status = { Succeeded: 'passed', Skipped: 'skipped' }[task.status] ?? 'failed';
    return html`<tr><th scope="row">${task.name}</th><td class="${status}"><span class="bar" role="img" aria-label="${from}" style="${position}"></span></td><td>${status !== 'passed' && html`<span class="${status}">${task.status}</span> `}${formatSpan(task.finishedAt - task.startedAt)}</td></tr>
`;
  });
  const took = formatSpan(run.finishedAt - run.startedAt);
  return html`<table class="timeline"><caption>${run.name}: <span class="${run.status === 'Succeeded' ? 'passed' : 'failed'}">${run.status}</span> in ${took}</caption>
<thead><tr><th scope="col">Task</th><th scope="col"><span class="axis"><span>0 s</span><span>${formatSpan(span)}</span></span></th><th scope="col">Took</th></tr></thead>
<tbody>${rows}</tbody></table>
`;
}
