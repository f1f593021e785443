import { createRequire } from 'node:module';
import type { Document, Node } from 'yaml';
import type { YamlNode } from './yaml-nodes.ts';

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
    if (broken !== undefined) return { broken: broken.message, offset: broken.pos[0], cause: broken };
    const known = new Map<unknown, YamlNode>();
    return { root: document.contents === null ? undefined : nodeOf(document.contents, document, known, yaml) };
  });
}

/** What is written once is one node, however often an alias stands for it. */
function nodeOf(
  node: unknown,
  document: Document,
  known: Map<unknown, YamlNode>,
  yaml: typeof import('yaml'),
): YamlNode {
  const same = known.get(node);
  if (same !== undefined) return same;
  const offset = yaml.isNode(node) ? ((node as Node).range?.[0] ?? -1) : -1;
  if (yaml.isAlias(node)) {
    const alias: YamlNode = { kind: 'alias', offset };
    known.set(node, alias);
    const target = node.resolve(document);
    if (target !== undefined) alias.target = nodeOf(target, document, known, yaml);
    return alias;
  }
  if (yaml.isSeq(node)) {
    const list: YamlNode = { kind: 'list', items: [], offset };
    known.set(node, list);
    list.items.push(...node.items.map((item) => nodeOf(item, document, known, yaml)));
    return list;
  }
  if (yaml.isMap(node)) {
    const object: YamlNode = { kind: 'object', pairs: [], offset };
    known.set(node, object);
    for (const { key, value } of node.items) {
      object.pairs.push([nodeOf(key, document, known, yaml), nodeOf(value, document, known, yaml)]);
    }
    return object;
  }
  if (!yaml.isScalar(node)) return { kind: 'scalar', text: '', plain: true, offset };
  const plain = node.type === 'PLAIN' || node.type === undefined;
  const text = (plain ? node.source : undefined) ?? String(node.value ?? '');
  const scalar: YamlNode = { kind: 'scalar', text, plain, tag: node.tag, offset };
  known.set(node, scalar);
  return scalar;
}
