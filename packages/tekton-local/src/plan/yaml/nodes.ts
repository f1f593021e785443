import { EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE, type ScalarEvent } from 'js-yaml';

/** What a YAML file says, before anything has a type. */
export type YamlNode = ScalarNode | ListNode | ObjectNode | AliasNode;

interface Placed {
  /** Where it starts in the text; negative where that is unknown. */
  offset: number;
}

export interface ScalarNode extends Placed {
  kind: 'scalar';
  text: string;
  /** Whether it has no quotes and is no block. */
  plain: boolean;
  tag?: string | undefined;
}

export interface ListNode extends Placed {
  kind: 'list';
  items: YamlNode[];
}

export interface ObjectNode extends Placed {
  kind: 'object';
  pairs: [key: YamlNode, value: YamlNode][];
}

export interface AliasNode extends Placed {
  kind: 'alias';
  /** What it stands for; undefined where nothing has that anchor. */
  target?: YamlNode | undefined;
}

/** What is rare in YAML, and what readers differ in: tabs, other ends of lines, directives, keys after a question mark, blocks that say their indent, tags, anchors. */
const RARE = /[\t\r\u0085\u2028\u2029\ufeff]|^%|^\.\.\.|^ +---|^[ -]*[?:](?:\s|$)|[|>][-+]?[1-9]/m;

/**
 * The documents of YAML as almost everybody writes it, in a fifth of the time that the whole language takes. Undefined for
 * anything else, right or wrong.
 */
export function quickNodes(text: string): (YamlNode | undefined)[] | undefined {
  if (RARE.test(text) || !text.endsWith('\n')) return undefined;
  let events: Event[];
  try {
    events = parseEvents(text, {});
  } catch {
    return undefined;
  }
  const documents: (YamlNode | undefined)[] = [];
  const open: (
    | ListNode
    | { kind: 'object'; offset: number; pairs: ObjectNode['pairs']; key?: YamlNode | undefined }
  )[] = [];
  let root: YamlNode | undefined;
  const add = (node: YamlNode): void => {
    const parent = open.at(-1);
    if (parent === undefined) root = node;
    else if (parent.kind === 'list') parent.items.push(node);
    else if (parent.key === undefined) parent.key = node;
    else {
      parent.pairs.push([parent.key, node]);
      parent.key = undefined;
    }
  };
  for (const event of events) {
    if (event.type === EVENT_ID.POP) {
      if (open.pop() === undefined) {
        documents.push(root);
        root = undefined;
      }
      continue;
    }
    if (event.type === EVENT_ID.DOCUMENT) continue;
    if (event.type === EVENT_ID.ALIAS || event.tagStart >= 0 || event.anchorStart >= 0) return undefined;
    if (event.type === EVENT_ID.SCALAR) {
      // Where an item is that is nothing, only the other reader knows.
      if (event.valueStart < 0 && open.at(-1)?.kind === 'list') return undefined;
      add(scalarOf(text, event));
      continue;
    }
    const { start: offset } = event;
    const node: ListNode | ObjectNode =
      event.type === EVENT_ID.SEQUENCE ? { kind: 'list', items: [], offset } : { kind: 'object', pairs: [], offset };
    add(node);
    open.push(node);
  }
  return documents;
}

function scalarOf(text: string, event: ScalarEvent): ScalarNode {
  const { style, valueStart } = event;
  const plain = style === SCALAR_STYLE.PLAIN;
  return {
    kind: 'scalar',
    text: valueStart < 0 ? '' : getScalarValue(text, event),
    plain,
    offset: offsetOf(text, event),
  };
}

/** Where a scalar starts, with its quote or the sign of a block. */
function offsetOf(text: string, { style, valueStart }: ScalarEvent): number {
  if (style === SCALAR_STYLE.PLAIN) return valueStart;
  if (style !== SCALAR_STYLE.LITERAL_BLOCK && style !== SCALAR_STYLE.FOLDED_BLOCK) return valueStart - 1;
  const line = text.lastIndexOf('\n', valueStart - 2) + 1;
  return line + text.slice(line, valueStart - 1).search(/[|>][-+]?\s*(?:#.*)?$/);
}
