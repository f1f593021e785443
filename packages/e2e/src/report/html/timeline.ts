import { seconds } from '../../criteria/wording.ts';
import type { Report } from '../report.ts';
import { html, type Markup } from './markup.ts';

type Run = Report['runs'][number];

/** Both PipelineRuns on one axis, a row a task: a table, so that it reads without seeing the bars. */
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
    const from = `from ${seconds(task.startedAt - start)}`;
    const status = task.status === 'Succeeded' ? 'passed' : 'failed';
    return html`<tr><th scope="row">${task.name}</th><td class="${status}"><span class="bar" role="img" aria-label="${from}" style="${position}"></span></td><td>${status === 'failed' && html`<span class="failed">${task.status}</span> `}${seconds(task.finishedAt - task.startedAt)}</td></tr>
`;
  });
  return html`<table class="timeline"><caption>${run.name}: ${run.status} in ${seconds(run.finishedAt - run.startedAt)}</caption>
<tbody>${rows}</tbody></table>
`;
}
