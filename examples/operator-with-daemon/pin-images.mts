// Copies the files of one folder into a new one, with images named by digest: `node pin-images.mts FROM TO IMAGE=VARIABLE…`
// writes the value of the environment's VARIABLE where IMAGE stands.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const [, , from = '', to = '', ...pairs] = process.argv;
const pins = pairs.map((pair) => {
  const [image = '', variable = ''] = pair.split('=');
  const digest = process.env[variable];
  if (!digest) throw new Error(`${image} needs the build argument ${variable}`);
  return { image, digest, count: 0 };
});
mkdirSync(to);
for (const name of readdirSync(from)) {
  let text = readFileSync(`${from}/${name}`, 'utf8');
  // There the whole bundle is in base64, with the tags that its own files have.
  if (text.includes('olm.bundle.object')) throw new Error(`${name} has olm.bundle.object: use opm render --migrate`);
  for (const pin of pins) {
    const parts = text.split(pin.image);
    pin.count += parts.length - 1;
    text = parts.join(pin.digest);
  }
  writeFileSync(`${to}/${name}`, text, { mode: 0o444 });
}
const unnamed = pins.find(({ count }) => count === 0);
if (unnamed) throw new Error(`no file in ${from} names ${unnamed.image}`);
