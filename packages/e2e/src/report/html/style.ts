import { Markup } from './markup.ts';

/** The report's only style sheet: no font, script or picture from anywhere, light and dark, wide, narrow and on paper. */
export const STYLE: Markup = new Markup(`
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --good: #16713a; --bad: #b3261e; --open: #7a5900; --link: #0b57d0 }
@media (prefers-color-scheme: dark) { :root { --good: #6fd08c; --bad: #ff8a80; --open: #f2c14e; --link: #8ab4f8 } }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; margin: 0 auto; max-width: 68rem; padding: 1.5rem 1rem 4rem }
h1 { font-size: 1.5rem; margin: 0 0 .25rem } h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem }
p { margin: .25rem 0 } a { color: var(--link) }
code, pre { font: .85em/1.5 ui-monospace, monospace; overflow-wrap: anywhere }
pre { background: var(--soft); border-radius: .4rem; margin: .4rem 0; padding: .6rem .8rem; white-space: pre-wrap }
.passed { color: var(--good) } .failed { color: var(--bad) } .skipped { color: var(--open) }
.mark { font-weight: 700; white-space: nowrap }
.facts { display: grid; gap: .1rem 1rem; grid-template-columns: max-content 1fr; margin: .75rem 0 }
.facts dt { opacity: .7 } .facts dd { margin: 0; min-width: 0; overflow-wrap: anywhere }
.chain { display: flex; flex-wrap: wrap; gap: .5rem; list-style: none; margin: 0; padding: 0 }
.chain .image { flex: 1 1 11rem; border: 1px solid var(--line); border-radius: .6rem; min-width: 0; padding: .7rem .9rem }
.chain h3 { font-size: 1rem; margin: 0 } .chain .arrow { align-self: center; font-size: .85rem; max-width: 6.5rem; text-align: center }
.chain .arrow b { display: block; font-size: 1.4rem; line-height: 1 }
@media (max-width: 48rem) { .chain { flex-direction: column } .chain .image { flex: none } .chain .arrow { max-width: none } .chain .arrow b { transform: rotate(90deg) } }
details { border-top: 1px solid var(--line) } details:last-of-type { border-bottom: 1px solid var(--line) }
summary { cursor: pointer; padding: .6rem .2rem } summary:focus-visible, a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px }
.checks { list-style: none; margin: 0 0 .8rem; padding: 0 0 0 1.6rem } .checks li { margin: .35rem 0; overflow-wrap: anywhere }
.checks dl { display: grid; gap: 0 .8rem; grid-template-columns: max-content 1fr; margin: .2rem 0 .4rem } .checks dd { margin: 0; min-width: 0; white-space: pre-wrap }
.timeline { border-collapse: collapse; width: 100% } .timeline th { font-weight: 400; max-width: 20rem; min-width: 13rem; padding: .1rem .8rem .1rem 0; text-align: left }
.timeline td { padding: .1rem 0 } .timeline td:nth-child(2) { width: 100% } .timeline td:last-child { font-variant-numeric: tabular-nums; padding-left: .8rem; text-align: right; white-space: nowrap }
.timeline caption { font-weight: 600; padding: .6rem 0 .2rem; text-align: left }
.bar { background: currentColor; border-radius: .2rem; display: block; height: .8rem; min-width: 2px; opacity: .8 }
@media (max-width: 36rem) { .timeline th { max-width: 8.5rem; min-width: 8.5rem; overflow: hidden; text-overflow: ellipsis } .facts { grid-template-columns: 1fr } .facts dt { margin-top: .4rem } }
@media print { body { font-size: 11pt; max-width: none; padding: 0 } details { break-inside: avoid } details::details-content { content-visibility: visible; display: block } .bar { print-color-adjust: exact } }
`);
