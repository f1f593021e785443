import { createRequire } from 'node:module';
import type { Document, Node } from 'yaml';
import type { ListNode, ObjectNode, ScalarNode, YamlNode } from './nodes.ts';

/** A document of any YAML, or why it is none. */
export type WholeDocument = { root: YamlNode | undefined } | { broken: string; offset: number; cause: unknown };

/** The documents of any YAML. The reader for them is only loaded where there is something for it. */
export function wholeNodes(text: string): WholeDocument[] {
  const yaml = createRequire(import.meta.url)('yaml') as typeof import('yaml');
  // Scalars stay texts: their types are told apart by who asks.
  const documents = yaml.parseAllDocuments(text, {
    schema: 'failsafe',
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  return [...documents].map((document: Document): WholeDocument => {
    const broken = document.errors[0];
    if (broken !== undefined) {
      const isDeep = broken.message === 'Maximum call stack size exceeded';
      const message = isDeep ? 'too many lists and objects are in each other' : broken.message;
      return { broken: message, offset: broken.pos[0], cause: broken };
    }
    const known: Known = { nodes: new Map(), anchors: new Map() };
    return { root: document.contents === null ? undefined : nodeOf(document.contents, known, yaml) };
  });
}

interface Known {
  nodes: Map<unknown, YamlNode>;
  anchors: Map<string, YamlNode>;
}

/** What is written once is one node, however often an alias stands for it. */
function nodeOf(node: unknown, known: Known, yaml: typeof import('yaml')): YamlNode {
  const same = known.nodes.get(node);
  if (same !== undefined) return same;
  const offset = yaml.isNode(node) ? ((node as Node).range?.[0] ?? -1) : -1;
  if (yaml.isAlias(node)) {
    const alias: YamlNode = { kind: 'alias', offset };
    known.nodes.set(node, alias);
    const target = known.anchors.get(node.source);
    if (target !== undefined) alias.target = target;
    return alias;
  }
  const anchor = yaml.isNode(node) && 'anchor' in node ? node.anchor : undefined;
  const remember = <Kind extends YamlNode>(made: Kind): Kind => {
    known.nodes.set(node, made);
    // In the order of the text: an alias stands for the last of that name before it.
    if (anchor !== undefined) known.anchors.set(anchor, made);
    return made;
  };
  if (yaml.isSeq(node)) {
    const list = remember<ListNode>({ kind: 'list', items: [], offset });
    for (const item of node.items) list.items.push(nodeOf(item, known, yaml));
    return list;
  }
  if (yaml.isMap(node)) {
    const object = remember<ObjectNode>({ kind: 'object', pairs: [], offset });
    for (const { key, value } of node.items) {
      object.pairs.push([nodeOf(key, known, yaml), nodeOf(value, known, yaml)]);
    }
    return object;
  }
  if (!yaml.isScalar(node)) return { kind: 'scalar', text: '', plain: true, offset };
  const plain = node.type === 'PLAIN' || node.type === undefined;
  const text = (plain ? node.source : undefined) ?? String(node.value ?? '');
  return remember<ScalarNode>({ kind: 'scalar', text, plain, tag: node.tag, offset });
}
