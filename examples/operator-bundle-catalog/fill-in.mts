// Copies the files of one folder into a new one, with ${NAME} replaced by the environment's NAME.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const [, , from = '', to = ''] = process.argv;
mkdirSync(to);
for (const name of readdirSync(from)) {
  const text = readFileSync(`${from}/${name}`, 'utf8').replaceAll(/\$\{([A-Z0-9_]+)\}/g, (_, variable: string) => {
    const value = process.env[variable];
    if (!value) throw new Error(`${name} needs the build argument ${variable}`);
    return value;
  });
  writeFileSync(`${to}/${name}`, text, { mode: 0o444 });
}
