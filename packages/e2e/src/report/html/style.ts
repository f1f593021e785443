import { Markup } from './markup.ts';

/** The report's only style sheet: no font, script or picture from anywhere, light and dark, wide, narrow and on paper. */
export const STYLE: Markup = new Markup(`
:root { color-scheme: light dark; --back: #fff; --text: #1c1e21; --quiet: #565c64; --line: #d4d8dd; --soft: #f4f5f7; --good: #136c37; --bad: #b3261e; --open: #765400; --link: #0b57d0 }
@media (prefers-color-scheme: dark) { :root { --back: #15171a; --text: #e7e9ec; --quiet: #a7adb5; --line: #3a3f46; --soft: #1f2226; --good: #71d391; --bad: #ff8f85; --open: #f0c453; --link: #8ab4f8 } }
* { box-sizing: border-box }
body { background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; margin: 0 auto; max-width: 68rem; padding: 1.5rem 1rem 4rem }
h1, h2, h3 { break-after: avoid; line-height: 1.3 }
h1 { font-size: 1.7rem; margin: 0 0 .25rem } h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem } h3 { font-size: 1rem; margin: 1.5rem 0 .5rem }
p { margin: .25rem 0 } small, .quiet { color: var(--quiet); font-size: .85rem }
code, pre { font: .85em/1.5 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere }
pre { background: var(--soft); border-radius: .4rem; margin: .3rem 0; padding: .6rem .8rem; white-space: pre-wrap }
header { border-left: .4rem solid currentColor; padding-left: 1rem } header > * { color: var(--text) }
.passed { color: var(--good) } .failed { color: var(--bad) } .skipped { color: var(--open) }
.mark { font-weight: 700; white-space: nowrap }
.letter { background: var(--text); border-radius: .25rem; color: var(--back); display: inline-block; font: 700 .8rem/1.25rem system-ui, sans-serif; min-width: 1.25rem; padding: 0 .3rem; print-color-adjust: exact; text-align: center }
.facts { display: grid; gap: .1rem 1rem; grid-template-columns: max-content 1fr; margin: .75rem 0 0 }
.facts dt { color: var(--quiet) } .facts dd { margin: 0; min-width: 0; overflow-wrap: anywhere }
figure { margin: 0 } figcaption { margin: .75rem 0 0 }
.chain { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); gap: .75rem; list-style: none; margin: 0; padding: 0 }
.chain .image { background: var(--soft); border: 1px solid var(--line); border-radius: .6rem; break-inside: avoid; min-width: 0; padding: .7rem .9rem; print-color-adjust: exact }
.chain h3 { margin: 0 0 .3rem } .chain .digest { font-weight: 700 } .chain ul { font-size: .9rem; list-style: none; margin: .4rem 0; padding: 0 } .chain ul li { margin: .15rem 0 } .signature { font-size: .9rem }
.chain .strip { grid-column: 1 / -1; line-height: 0 } .strip svg { display: block; height: auto; width: 100% } .strip text { font: 600 14px system-ui, sans-serif }
.chain.drawn { gap: .9rem 0; grid-template-columns: repeat(var(--columns), 1fr); align-items: stretch } .drawn .image { margin: 0 .6rem } .drawn .above { grid-row: 1; margin-bottom: -.9rem } .drawn .below { grid-row: 4; margin-top: -.9rem }
@media (max-width: 40rem) { .chain.drawn { display: block } .drawn .strip { display: none } .drawn .image { margin: 0 0 .75rem } }
details { border-top: 1px solid var(--line) } details:last-of-type { border-bottom: 1px solid var(--line) }
summary { break-after: avoid; cursor: pointer; padding: .6rem .2rem } summary:hover { background: var(--soft) } summary:focus-visible { border-radius: .2rem; outline: 3px solid var(--link); outline-offset: 1px }
.checks { list-style: none; margin: 0 0 .8rem; padding: 0 0 0 1.3rem } .checks > li { break-inside: avoid; margin: .4rem 0; overflow-wrap: anywhere } .id { color: var(--quiet); font-size: .75em }
.checks dl { border-left: 3px solid var(--bad); display: grid; gap: .15rem .8rem; grid-template-columns: max-content 1fr; margin: .3rem 0 .6rem; padding-left: .8rem } .checks dt { color: var(--quiet) } .checks dd { margin: 0; min-width: 0; white-space: pre-wrap }
.timeline { border-collapse: collapse; margin-bottom: 1rem; width: 100% } .timeline tr { break-inside: avoid } .timeline th { font-weight: 400; padding: .1rem .8rem .1rem 0; text-align: left; width: 14.5rem }
.timeline thead th { border-bottom: 1px solid var(--line); color: var(--quiet); font-size: .85rem; width: auto } .axis { display: flex; justify-content: space-between } .timeline th:last-child { padding: 0; text-align: right }
.timeline td { padding: .1rem 0 } .timeline td:nth-child(2) { overflow: hidden; border-left: 1px solid var(--line); border-right: 1px solid var(--line) } .timeline td:last-child { font-variant-numeric: tabular-nums; padding-left: .8rem; text-align: right; white-space: nowrap; width: 8rem }
.timeline caption { break-after: avoid; font-weight: 600; padding: .6rem 0 .2rem; text-align: left }
.bar { background: currentColor; border-radius: .2rem; display: block; height: .8rem; max-width: 100%; min-width: 2px; print-color-adjust: exact }
.by-hand { break-inside: avoid; margin: 0 0 .9rem } .by-hand pre { user-select: all } .prints { color: var(--quiet); font-size: .9rem }
@media (max-width: 36rem) { .timeline { table-layout: fixed } .timeline th, .timeline thead th:first-child { width: 38% } .timeline td:last-child, .timeline thead th:last-child { width: 5.2rem; white-space: normal } .facts { grid-template-columns: 1fr } .facts dd { margin-bottom: .35rem } .checks { padding-left: 0 } .checks dl { grid-template-columns: 1fr } }
@media print { :root { --back: #fff; --text: #000; --quiet: #444; --line: #bbb; --soft: #f4f5f7; --good: #136c37; --bad: #b3261e; --open: #765400 } html { font-size: 10pt } body { font-size: 1rem; max-width: none; padding: 0 } details::details-content { content-visibility: visible; display: block } pre { print-color-adjust: exact } }
`);
