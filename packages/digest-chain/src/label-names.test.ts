import { describe, expect, it } from 'vitest';
import { LabelNames } from './label-names.ts';

describe('the names of labels', () => {
  it('are made of one prefix, and read again', () => {
    const names = new LabelNames('org.example');
    expect(names).toMatchObject({
      sealedFrom: 'org.example.sealed-from.digest',
      sealedOver: 'org.example.sealed-over',
    });
    expect(names.parseLink(names.digestOf('a-b'))).toEqual({ role: 'a-b', part: 'digest' });
    expect(names.parseLink(names.urlOf('image'))).toEqual({ role: 'image', part: 'url' });
    expect([names.sealedFrom, names.sealedOver, names.urlOf('x')].every((name) => names.isSeal(name))).toBe(true);
  });

  it.each([
    'io.konflux.poc.a-image.digest',
    'org.example',
    'org.example.a-image.tag',
    'org.example.-image.digest',
    'org.example.A-image.digest',
    'org.examples.a-image.digest',
    `org.example.${'a'.repeat(65)}-image.digest`,
  ])('%s is none of them', (label) => {
    expect(new LabelNames('org.example').parseLink(label)).toBeUndefined();
    expect(new LabelNames('org.example').isSeal(label)).toBe(false);
  });

  it.each(['', 'Org', 'a.', '.a', 'a b', 'a"b', 'a'.repeat(129)])('%j is no prefix', (prefix) => {
    expect(() => new LabelNames(prefix)).toThrow(expect.objectContaining({ code: 'LABEL_PREFIX_INVALID' }));
  });
});
